package document

import "embed"

//go:embed builtin/*.yaml
var builtin embed.FS

// BuiltIn is the source of the product's own template of a kind. Invalid "document_kind_unknown".
func BuiltIn(kind Kind) ([]byte, error) {
	if err := CheckKind(kind); err != nil {
		return nil, err
	}
	return builtin.ReadFile("builtin/" + string(kind) + ".yaml")
}
