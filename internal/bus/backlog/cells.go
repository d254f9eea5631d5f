// Package backlog holds the cells that wait to be published or folded: a queue in which a cell stands once, bounded by
// dropping the oldest. Folding a cell reads all of its records, so a hint for a cell that waits already adds nothing.
package backlog

// Cells is such a queue. It is not safe for use by many goroutines; its owner locks.
type Cells struct {
	bound   int
	waiting map[string]struct{}
	queue   []string // queue[head:] waits, the oldest first
	head    int
}

// New makes an empty queue of at most bound cells.
func New(bound int) *Cells {
	return &Cells{bound: max(bound, 1), waiting: map[string]struct{}{}}
}

// Add puts a cell at the end unless it waits already, and says whether the oldest had to go for it.
func (c *Cells) Add(cell string) (dropped bool) {
	if _, there := c.waiting[cell]; there {
		return false
	}
	if c.Len() >= c.bound {
		delete(c.waiting, c.next())
		dropped = true
	}
	c.waiting[cell] = struct{}{}
	c.queue = append(c.queue, cell)
	return dropped
}

// Return puts cells back that could not be handed on. They are older than what waits, so where there is no room they
// go and nothing else; it answers how many went.
func (c *Cells) Return(cells []string) (dropped int) {
	for _, cell := range cells {
		if _, there := c.waiting[cell]; there {
			continue
		}
		if c.Len() >= c.bound {
			dropped++
			continue
		}
		c.Add(cell)
	}
	return dropped
}

// Take removes the oldest cells, at most n.
func (c *Cells) Take(n int) []string {
	n = min(n, c.Len())
	if n <= 0 {
		return nil
	}
	taken := make([]string, n)
	for i := range taken {
		taken[i] = c.next()
		delete(c.waiting, taken[i])
	}
	return taken
}

// Len is how many cells wait.
func (c *Cells) Len() int { return len(c.queue) - c.head }

// next steps over the oldest, and moves the queue to the front of its array when half of it has gone, so that memory
// stays within twice the bound.
func (c *Cells) next() string {
	cell := c.queue[c.head]
	c.queue[c.head] = ""
	c.head++
	if c.head*2 >= len(c.queue) {
		n := copy(c.queue, c.queue[c.head:])
		clear(c.queue[n:])
		c.queue, c.head = c.queue[:n], 0
	}
	return cell
}
