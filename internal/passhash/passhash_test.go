package passhash_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/hailong-vn/hailong/internal/passhash"
)

func TestMatches(t *testing.T) {
	cheap := passhash.Cost{Memory: 8, Passes: 1, Lanes: 1}
	hash := cheap.Hash("2580")
	if !passhash.Matches(hash, "2580") || passhash.Matches(hash, "2581") || passhash.Matches(hash, "") {
		t.Error("a hash matches its own password and no other")
	}
	if again := cheap.Hash("2580"); again == hash {
		t.Error("two hashes of a password are alike: they have no salt")
	}
	for name, bad := range map[string]string{
		"empty": "", "another algorithm": strings.Replace(hash, "argon2id", "argon2i", 1), "too much memory": strings.Replace(hash, "m=8", "m=9999999", 1),
		"no passes": strings.Replace(hash, "t=1", "t=0", 1), "no sum": hash[:strings.LastIndex(hash, "$")], "cut": hash[:len(hash)-30], "letters": strings.Replace(hash, "$m=", "$m=x", 1),
	} {
		if _, err := passhash.Decode(bad); !errors.Is(err, passhash.ErrUnreadable) {
			t.Errorf("%s: %v", name, err)
		}
		if passhash.Matches(bad, "2580") {
			t.Errorf("%s matches", name)
		}
	}
}
