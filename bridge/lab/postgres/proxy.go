package postgres

import (
	"net"
	"net/url"
	"sync"
)

// Proxy stands before a server and can freeze: connections stay open, and what goes in
// never comes out. A machine that hangs and a firewall that forgot look like that.
type Proxy struct {
	URI string // of the database, through the proxy

	server string

	mu     sync.Mutex
	frozen chan struct{} // closed: frozen
	lost   chan struct{} // something was swallowed
	toUs   []net.Conn
	toThem []net.Conn // the server's side
}

// NewProxy starts a proxy before the database at uri, which goes with the test.
func NewProxy(t T, uri string) *Proxy {
	t.Helper()
	u, err := url.Parse(uri)
	if err != nil {
		t.Fatalf("PostgreSQL URI: %v", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("Proxy: %v", err)
	}
	p := &Proxy{server: u.Host, frozen: make(chan struct{}), lost: make(chan struct{}, 1)}
	u.Host = l.Addr().String()
	p.URI = u.String()
	var accepting sync.WaitGroup
	accepting.Go(func() { p.accept(l) })
	t.Cleanup(func() {
		_ = l.Close()
		accepting.Wait()
		for _, c := range append(p.toUs, p.toThem...) {
			_ = c.Close()
		}
	})
	return p
}

// Freeze lets nothing through from now on, also on new connections.
func (p *Proxy) Freeze() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.frozen)
}

// Swallowed tells that something came and did not get through.
func (p *Proxy) Swallowed() <-chan struct{} { return p.lost }

// Thaw lets new connections work. Those that were frozen stay so, but the server has
// noticed, and lets go of what they held.
func (p *Proxy) Thaw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.toThem {
		_ = c.Close()
	}
	p.toThem, p.frozen = nil, make(chan struct{})
}

func (p *Proxy) accept(l net.Listener) {
	for {
		client, err := l.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		frozen := p.frozen
		p.toUs = append(p.toUs, client)
		p.mu.Unlock()
		server, err := net.Dial("tcp", p.server)
		if err != nil {
			_ = client.Close()
			continue
		}
		p.mu.Lock()
		p.toThem = append(p.toThem, server)
		p.mu.Unlock()
		go p.pass(server, client, frozen)
		go p.pass(client, server, frozen)
	}
}

// pass carries bytes until one side hangs up; the other one is told.
func (p *Proxy) pass(to, from net.Conn, frozen <-chan struct{}) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		select {
		case <-frozen:
			select {
			case p.lost <- struct{}{}:
			default:
			}
			return // the other side's network takes what fits into it
		default:
		}
		if n > 0 && err == nil {
			_, err = to.Write(buf[:n])
		}
		if err != nil {
			_ = to.Close()
			return
		}
	}
}
