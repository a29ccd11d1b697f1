package config

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
)

// Example is the documented configuration with all defaults.
//
//go:embed example-config.yaml
var Example []byte

// WriteExample writes the example, never over a file. The errors are sentences
// for the operator.
func WriteExample(path string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s exists already and is not overwritten: name another file with -c, or remove it", path)
	} else if err != nil {
		return fmt.Errorf("the example config cannot be written (%s): name another file with -c", Reason(err))
	}
	_, err = file.Write(Example)
	return errors.Join(err, file.Close())
}
