package caddyicalmail

import (
	"context"
	"crypto/rand"
	"fmt"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddyicalmail/caddyicalmail/internal/store"
	"github.com/caddyicalmail/caddyicalmail/internal/token"
)

// keyStored stands for the key that is made once and kept in the store.
const keyStored = "stored"

// storedKeyName is what the store keeps it as.
const storedKeyName = "signing key"

// resolveKeys resolves the configured keys. An empty entry stands for the
// stored one, which is not known yet.
func (a *App) resolveKeys(repl *caddy.Replacer) error {
	configured := a.Keys
	if len(configured) == 0 {
		configured = []string{keyStored}
	}
	for _, key := range configured {
		if key == keyStored {
			a.keys = append(a.keys, nil)
			continue
		}
		value, err := secret(repl, key, "key")
		if err != nil {
			return err
		}
		if len(value) < token.MinKey {
			return fmt.Errorf("key %s has %d characters and needs at least %d: make one with openssl rand -base64 32",
				key, len(value), token.MinKey)
		}
		a.keys = append(a.keys, []byte(value))
	}
	return nil
}

// keyring makes the keyring of links and forms. Configs that have neither do
// not write a key into the store.
func (a *App) keyring(ctx context.Context, s store.Store) (*token.Keyring, error) {
	if !a.signs {
		return nil, nil
	}
	keys := make([][]byte, len(a.keys))
	for i, key := range a.keys {
		if keys[i] = key; key != nil {
			continue
		}
		fresh := make([]byte, token.MinKey)
		_, _ = rand.Read(fresh) // never fails
		var err error
		if keys[i], err = s.Keep(ctx, storedKeyName, fresh); err != nil {
			return nil, fmt.Errorf("keeping the signing key: %w", err)
		}
	}
	return token.NewKeyring(keys...)
}

// keys are the keys with which links and forms are signed. Whoever asks has
// waited for the start of the app.
func (h *Handler) keys() *token.Keyring { return h.app.running.keys }
