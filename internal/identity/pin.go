package identity

import "context"

// HashPIN answers the hash of the number by which an official signs in at a device. It waits its turn among the passwords.
func (a *Accounts) HashPIN(ctx context.Context, pin string) (string, error) {
	return a.hasher.hash(ctx, pin)
}

// PINMatches tells whether a number has a hash. It waits its turn among the passwords.
func (a *Accounts) PINMatches(ctx context.Context, hash, pin string) (bool, error) {
	ok, _, err := a.hasher.matches(ctx, hash, pin)
	return ok, err
}
