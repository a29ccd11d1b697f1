package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// write replaces the content of a file. It does so in one step, so that a crash
// leaves the old or the new one; where that is impossible (a file that is mounted
// into a container by itself, another owner) it writes over it.
func write(path string, text []byte) error {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	next := path + ".new"
	if err = writeLike(next, info, text); err == nil {
		err = os.Rename(next, path)
	}
	if err != nil {
		_ = os.Remove(next)
		return os.WriteFile(path, text, info.Mode().Perm())
	}
	return nil
}

// writeLike makes a file with the mode and the owner of another one: an operator
// may run -g as root, and the bridge as somebody else.
func writeLike(path string, like os.FileInfo, text []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, like.Mode().Perm())
	if err != nil {
		return err
	}
	if owner, ok := like.Sys().(*syscall.Stat_t); ok {
		err = file.Chown(int(owner.Uid), int(owner.Gid))
	}
	if err == nil {
		_, err = file.Write(text)
	}
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

// Reason is why a file could not be used, without the name of the system call.
func Reason(err error) string {
	var path *os.PathError
	if errors.As(err, &path) {
		return fmt.Sprintf("%s: %s", path.Path, path.Err)
	}
	return err.Error()
}
