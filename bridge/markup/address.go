package markup

import (
	"regexp"
	"strings"
)

// address is a web address as people write it: with its scheme, or without one but
// with a path.
var address = regexp.MustCompile(`(?i)(?:^|[^\pL\pN.@/-])((?:https?://|(?:[\pL\pN](?:[\pL\pN-]*[\pL\pN])?\.)+\pL{2,}(?::\d{1,5})?/)\S*)`)

// addresses are the places of the web addresses in a line, as byte offsets.
func addresses(line string) (all [][2]int) {
	if !strings.Contains(line, "/") {
		return nil
	}
	for _, m := range address.FindAllStringSubmatchIndex(line, -1) {
		all = append(all, [2]int{m[2], m[3]})
	}
	return all
}

// inAddress are the bytes of a line that belong to web addresses. Marks at the end of
// one can close what was opened before it.
func inAddress(line string) []bool {
	all := addresses(line)
	if len(all) == 0 {
		return nil
	}
	in := make([]bool, len(line))
	for _, a := range all {
		for i := range strings.TrimRight(line[a[0]:a[1]], "*_~`.,;:!?)") {
			in[a[0]+i] = true
		}
	}
	return in
}
