package story_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"lanekeeper/bridge/lab"
)

func benchWorld(b *testing.B, server lab.Kind) *lab.World {
	return lab.NewWorld(b, lab.WorldOptions{Server: server, Proxy: true, WhatsApp: true, People: []string{"root", "mia", "carl"}})
}

// BenchmarkProject makes projects, each with a Space and three lanes: the time from the command to its answer, the writes to
// the homeserver, and, as the floor, the time of as many bare state events written by the same user one after the other.
func BenchmarkProject(b *testing.B) {
	for _, server := range []lab.Kind{lab.KindSynapse, lab.KindDendrite} {
		b.Run(string(server), func(b *testing.B) {
			w := benchWorld(b, server)
			rooms := w.Project("first")
			w.Proxy.Set(nil, nil)
			b.ResetTimer()
			for n := range b.N {
				w.Must("root", w.Direct("root"), fmt.Sprintf("project create bench%d Bench --customer %s --manager %s", n, w.ID("carl"), w.ID("mia")))
			}
			b.StopTimer()
			writes, took := w.Proxy.Writes()/b.N, b.Elapsed().Seconds()/float64(b.N)
			began := time.Now()
			for n := range 20 {
				w.Bridge.AsBot().PutState(rooms["notes"], "org.example.bench", "", map[string]any{"n": n})
			}
			bare := time.Since(began).Seconds() / 20
			b.ReportMetric(float64(writes), "writes/project")
			b.ReportMetric(took/(bare*float64(writes)), "x_bare_writes")
			b.ReportMetric(float64(residentMiB(b, w.Bridge.PID())), "MiB_resident")
		})
	}
}

// BenchmarkHandoff measures from a message in an open handoff's thread to the request at Twilio, against the time that the
// homeserver needs to bring the same message to another client.
func BenchmarkHandoff(b *testing.B) {
	for _, server := range []lab.Kind{lab.KindSynapse, lab.KindDendrite} {
		b.Run(string(server), func(b *testing.B) {
			w := benchWorld(b, server)
			rooms := w.Project("acme")
			carl, mia := w.Person("carl"), w.Person("mia")
			question := w.Must("carl", rooms["customer"], "!lane human first question").Command
			w.Phones.WaitSent(lab.Dana, "the question", "first question")
			var bare, whole time.Duration
			b.ResetTimer()
			for n := range b.N {
				words := fmt.Sprintf("line %d.", n)
				began := time.Now()
				event := carl.InThread(rooms["customer"], question, words)
				mia.Wait("the line", lab.ID(event))
				bare += time.Since(began)
				w.Phones.WaitSent(lab.Dana, "the line", words)
				whole += time.Since(began)
			}
			b.StopTimer()
			b.ReportMetric(whole.Seconds()*1000/float64(b.N), "ms_to_Twilio")
			b.ReportMetric(float64(whole)/float64(bare), "x_homeserver")
		})
	}
}

// residentMiB reads how much memory a process holds.
func residentMiB(b *testing.B, pid int) (mib int) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Skip("no /proc: ", err)
	}
	for line := range strings.Lines(string(status)) {
		var kib int
		if _, err := fmt.Sscanf(line, "VmRSS: %d kB", &kib); err == nil {
			mib = kib >> 10
		}
	}
	return mib
}
