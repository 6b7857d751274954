package caddytest

import (
	"bytes"
	"encoding/json"
	"slices"
	"sync"
)

// Entry is one line of Caddy's structured log.
type Entry map[string]any

// Message is the entry's constant text.
func (e Entry) Message() string {
	s, _ := e["msg"].(string)
	return s
}

// logBuffer collects what a process writes.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write implements io.Writer.
func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

// String returns all that was written so far.
func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func (b *logBuffer) entries() []Entry {
	var found []Entry
	for line := range bytes.Lines([]byte(b.String())) {
		var e Entry
		if json.Unmarshal(line, &e) == nil {
			found = append(found, e)
		}
	}
	return found
}

func (b *logBuffer) has(message string) bool {
	return slices.ContainsFunc(b.entries(), func(e Entry) bool { return e.Message() == message })
}

// Output returns all that Caddy has written so far, log or not.
func (c *Caddy) Output() string { return c.logs.String() }

// Logs returns the log so far, oldest first.
func (c *Caddy) Logs() []Entry { return c.logs.entries() }

// WaitLog waits for an entry with this text.
func (c *Caddy) WaitLog(message string) {
	c.t.Helper()
	Eventually(c.t, "the log says "+message, func() bool { return c.logs.has(message) })
}
