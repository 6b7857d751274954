package caddyicalmail

import (
	"fmt"
	"path/filepath"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/caddyicalmail/caddyicalmail/internal/store"
	"github.com/caddyicalmail/caddyicalmail/internal/store/bolt"
)

// engineBolt is the embedded store: one file, one process.
const engineBolt = "bolt"

// StoreConfig says where events and messages are kept.
type StoreConfig struct {
	// The kind of store. Default: `bolt`, a single file of this process.
	Engine string `json:"engine,omitempty"`

	// The file of the bolt store. Default: `ical_invite/outbox.db` in Caddy's
	// data directory.
	Path string `json:"path,omitempty"`
}

// stores are the open stores of this process by identity. A reload keeps a
// store open when the new config has it too, because the new config takes its
// reference before the old one gives its own back.
var stores = caddy.NewUsagePool()

// pooledStore is a store in the pool.
type pooledStore struct{ store.Store }

// Destruct implements caddy.Destructor.
func (p pooledStore) Destruct() error { return p.Close() }

// resolve returns the absolute path of the store's file. It opens nothing.
func (c *StoreConfig) resolve(repl *caddy.Replacer) (string, error) {
	if c == nil {
		c = new(StoreConfig)
	}
	if c.Engine != "" && c.Engine != engineBolt {
		return "", fmt.Errorf("store is %s, not %q", engineBolt, c.Engine)
	}
	path, err := repl.ReplaceOrErr(c.Path, true, true)
	if err != nil {
		return "", fmt.Errorf("expanding the path of the store: %w", err)
	}
	if path == "" {
		path = filepath.Join(caddy.AppDataDir(), "ical_invite", "outbox.db")
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("resolving the path of the store: %w", err)
	}
	return absolute, nil
}

func storeKey(path string) string { return engineBolt + ":" + path }

// shareStore is openStore for a store that some config has open already.
func shareStore(path string, logger *zap.Logger) (store.Store, func(), error) {
	if _, open := stores.References(storeKey(path)); !open {
		return nil, nil, errReplaced
	}
	return openStore(path, logger)
}

// openStore takes a reference to the store at path, which it opens if no
// other config of this process has it open. The returned function gives the
// reference back.
func openStore(path string, logger *zap.Logger) (store.Store, func(), error) {
	key := storeKey(path)
	value, _, err := stores.LoadOrNew(key, func() (caddy.Destructor, error) {
		s, err := bolt.Open(path, bolt.Options{})
		if err != nil {
			return nil, err
		}
		logger.Info("store opened", zap.String("path", path), zap.Any("opening", s.Opening()))
		return pooledStore{s}, nil
	})
	if err != nil {
		return nil, nil, err
	}
	release := func() {
		if _, err := stores.Delete(key); err != nil {
			logger.Error("closing the store failed", zap.String("path", path), zap.Error(err))
		}
	}
	return value.(pooledStore).Store, release, nil
}
