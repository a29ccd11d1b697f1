package emulator

import "net/http"

func (e *Emulator) page(mux *http.ServeMux) {}
