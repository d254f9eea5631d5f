// Package bench measures intake beside its limit, in the same run: `make bench`. It holds only benchmarks.
//
// G is a server that answers the same bytes without storing them; E is the engine with its best writer on the same
// documents; L = 1/(1/G + 1/E) is what a server could reach that spends nothing of its own. G, E and ours are
// interleaved in short rounds, because machines drift; what counts are medians and ratios.
package bench
