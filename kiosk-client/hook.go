package kiosk

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// hookToken is the token of queue systems and officials' buttons: made at the first start and kept, so that what was set up with it goes on.
func hookToken(folder string) (string, error) {
	path := filepath.Join(folder, "hook.token")
	held, err := os.ReadFile(path)
	if err == nil {
		if token := strings.TrimSpace(string(held)); len(token) >= 16 {
			return token, nil
		}
		err = fs.ErrNotExist // cut off by a power failure as it was made
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("hook token: %w", err)
	}
	token := rand.Text()
	if err := os.WriteFile(path, []byte(token+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("hook token: %w", err)
	}
	return token, nil
}
