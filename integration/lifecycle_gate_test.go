package integration_test

import (
	"io"
	"net"
	"sync"
	"testing"
)

// gate stands before a mail server. While it is shut, connections are reset,
// and so is who comes: the server is down, but its port cannot be taken by
// another test.
type gate struct {
	addr, server string

	mu    sync.Mutex
	shut  bool
	reset int // connections that came while it was shut
	conns map[net.Conn]bool
}

func newGate(t *testing.T, server string) *gate {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{addr: listener.Addr().String(), server: server, conns: map[net.Conn]bool{}}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { g.serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		g.close()
		serving.Wait()
	})
	return g
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = false
}

func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = true
	for conn := range g.conns {
		hangUp(conn)
	}
}

// refused is how many connections were reset at once.
func (g *gate) refused() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.reset
}

// hangUp resets a connection.
func hangUp(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// enter remembers connections that have to be reset when the gate is shut.
func (g *gate) enter(conns ...net.Conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut {
		g.reset++
		return false
	}
	for _, conn := range conns {
		g.conns[conn] = true
	}
	return true
}

func (g *gate) leave(conns ...net.Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, conn := range conns {
		delete(g.conns, conn)
	}
}

// serve passes on what both sides say until one of them ends.
func (g *gate) serve(client net.Conn) {
	defer hangUp(client)
	if !g.enter(client) {
		return
	}
	defer g.leave(client)
	server, err := net.Dial("tcp", g.server)
	if err != nil {
		return
	}
	defer server.Close()
	if !g.enter(server) {
		return
	}
	defer g.leave(server)
	ended := make(chan struct{}, 2)
	for from, to := range map[net.Conn]net.Conn{client: server, server: client} {
		go func() {
			_, _ = io.Copy(to, from) // how it ended does not matter
			ended <- struct{}{}
		}()
	}
	<-ended
	hangUp(client)
	_ = server.Close()
	<-ended
}
