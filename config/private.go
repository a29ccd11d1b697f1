package config

import (
	"fmt"
	"os"
)

// others are the rights of those who are neither the owner of a file nor in its group.
const others os.FileMode = 0o007

// Exposed says that everybody on this computer may read a file with secrets; "" if
// they may not, or there is none. Rights of its group are somebody's decision.
func Exposed(path string) string {
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm()&others == 0 {
		return ""
	}
	return fmt.Sprintf("%s holds secrets, but every user of this computer can read it (mode %04o): chmod o-rwx %s.", path, info.Mode().Perm(), path)
}

// MakePrivate leaves a file with secrets to its owner if everybody may read it, and
// says so; "" if nothing was to be done.
func MakePrivate(path string) string {
	exposed := Exposed(path)
	if exposed == "" {
		return ""
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return exposed
	}
	return fmt.Sprintf("Every user of this computer could read %s: now only its owner can.", path)
}
