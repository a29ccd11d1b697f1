package port_test

import (
	"bufio"
	"net"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"

	"lanekeeper/bridge/lab/port"
)

// What several processes are given at the same time is given once, before anybody listens on it.
func TestFree(t *testing.T) {
	const processes, each = 4, 120
	if os.Getenv("PORTS_OF_A_CHILD") != "" {
		for range each {
			n, err := port.Free()
			if err != nil {
				t.Fatal(err)
			}
			_, _ = os.Stdout.WriteString(strconv.Itoa(n) + "\n")
		}
		_, _ = os.Stdin.Read(make([]byte, 1)) // what it has stays its own until the end
		return
	}
	var running sync.WaitGroup
	given := make(chan string, processes*each)
	for range processes {
		child := exec.Command(os.Args[0], "-test.run", "^TestFree$")
		child.Env = append(os.Environ(), "PORTS_OF_A_CHILD=yes")
		stdin, err := child.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		stdout, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = stdin.Close(); _ = child.Wait() })
		running.Go(func() {
			for lines, n := bufio.NewScanner(stdout), 0; n < each && lines.Scan(); n++ {
				given <- lines.Text()
			}
		})
	}
	running.Wait()
	close(given)
	seen := map[string]bool{}
	for n := range given {
		if seen[n] {
			t.Errorf("%s is given twice", n)
		}
		seen[n] = true
		l, err := net.Listen("tcp", "127.0.0.1:"+n)
		if err != nil {
			t.Error(err)
			continue
		}
		_ = l.Close()
	}
	if len(seen) != processes*each {
		t.Errorf("%d ports", len(seen))
	}
}
