package lab

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"lanekeeper/bridge/lab/port"
)

// process is a subprocess with its output in a file.
type process struct {
	name string
	log  string
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
}

// startProcess starts argv in dir and appends what it prints to dir/name.log. The process has a group of its own and dies
// with the test binary.
func startProcess(dir, name string, env []string, argv ...string) (*process, error) {
	p := &process{name: name, log: filepath.Join(dir, name+".log"), done: make(chan struct{})}
	out, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	p.cmd = exec.Command(argv[0], argv[1:]...)
	p.cmd.Dir = dir
	p.cmd.Env = append(cleanEnv(), env...)
	p.cmd.Stdout, p.cmd.Stderr = out, out
	p.cmd.SysProcAttr = Child()
	started := make(chan error)
	go func() {
		// The signal comes when the thread that started the child ends, not the process (prctl(2), PR_SET_PDEATHSIG):
		// that thread is kept for as long as the child lives.
		runtime.LockOSThread()
		defer func() { _ = out.Close() }()
		if err := p.cmd.Start(); err != nil {
			started <- err
			return
		}
		started <- nil
		_ = p.cmd.Wait() // the exit code stays in ProcessState
		close(p.done)
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	return p, nil
}

// cleanEnv is our environment without what would change a subprocess's behaviour: proxies (a homeserver would ask them for
// loopback addresses), and the variables that the bridge and Twilio's library read.
func cleanEnv() []string {
	var env []string
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		name = strings.ToUpper(name)
		if strings.HasSuffix(name, "_PROXY") || strings.HasPrefix(name, "LANEKEEPER_") || strings.HasPrefix(name, "TWILIO_") {
			continue
		}
		env = append(env, kv)
	}
	return env
}

func (p *process) running() bool {
	if p == nil {
		return false
	}
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// kill9 ends the whole group at once and returns when it is gone.
func (p *process) kill9() {
	if p.running() {
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		<-p.done
	}
}

// stop sends SIGTERM. Who needs longer than max is killed, which is an error. With which code it ends counts for ours alone:
// Dendrite closes its databases while it works on, and panics then.
func (p *process) stop(max time.Duration) error {
	if !p.running() {
		return nil
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may be gone
	select {
	case <-p.done:
	case <-time.After(max):
		p.kill9()
		return fmt.Errorf("%s still ran %s after SIGTERM", p.name, max)
	}
	return nil
}

// ready waits until GET url answers 200.
func (p *process) ready(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	err := Until200(ctx, url, p.done)
	if err == nil {
		return nil
	}
	if !p.running() {
		return fmt.Errorf("%s ended with %s:\n%s", p.name, p.cmd.ProcessState, p.tail(30))
	}
	return fmt.Errorf("%s is not ready: %w:\n%s", p.name, err, p.tail(30))
}

// Until200 asks until GET url answers 200, or until there is no hope any more.
func Until200(ctx context.Context, url string, hopeless <-chan struct{}) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	last := errors.New("no answer")
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		if res, err := httpClient.Do(req); err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
			last = fmt.Errorf("it answers %s", res.Status)
		}
		select {
		case <-tick.C:
		case <-hopeless:
			return last
		case <-ctx.Done():
			return last
		}
	}
}

// tail is the last n lines of the log, of all runs in this directory.
func (p *process) tail(n int) string {
	if p == nil {
		return ""
	}
	raw, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// httpClient never uses a proxy. The time limit is longer than any /sync of ours.
var httpClient = &http.Client{Timeout: 90 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}

func freePort(t T) int {
	t.Helper()
	n, err := port.Free()
	if err != nil {
		t.Fatal(err)
	}
	return n
}
