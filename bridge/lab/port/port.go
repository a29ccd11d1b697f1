// Package port gives loopback ports to servers that will listen on them later.
package port

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
)

// Ports stay below the range from which the kernel takes those of outgoing connections (ip_local_port_range), so that none
// of these takes a port before its server does. They go by blocks: a block belongs to the process that listens on its first
// port. Test binaries run beside each other, and what one of them has given out and does not use yet, no other gives out.
const (
	first  = 12000
	blocks = 400
	size   = 50
)

var block struct {
	sync.Mutex
	taken []net.Listener // kept for as long as the process lives
	next  int            // the port to give
	left  int
}

// Free gives a port of 127.0.0.1 that nobody listens on, and that no other call gives, in whatever process.
func Free() (int, error) {
	block.Lock()
	defer block.Unlock()
	for {
		if block.left == 0 {
			if err := take(); err != nil {
				return 0, err
			}
		}
		n := block.next
		block.next++
		block.left--
		if l, err := listen(n); err == nil {
			return n, l.Close()
		}
	}
}

// take makes one more block ours.
func take() error {
	for _, b := range rand.Perm(blocks) {
		n := first + b*size
		if l, err := listen(n); err == nil {
			block.taken = append(block.taken, l)
			block.next, block.left = n+1, size-1
			return nil
		}
	}
	return errors.New("no free port on 127.0.0.1")
}

func listen(n int) (net.Listener, error) { return net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", n)) }
