// FerretDB, which speaks MongoDB's protocol, over SQLite. Its own command does not run as `go install` builds it: it wants files that only its release has.
package main

import (
	"context"
	"flag"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/FerretDB/FerretDB/ferretdb"
)

func main() {
	address := flag.String("listen-addr", "127.0.0.1:27017", "where to listen")
	folder := flag.String("sqlite-url", "file:./", "URL of the folder of the databases, with a slash at its end")
	flag.Parse()

	server, err := ferretdb.New(&ferretdb.Config{
		Listener:  ferretdb.ListenerConfig{TCP: *address},
		Logger:    slog.New(slog.NewTextHandler(io.Discard, nil)),
		Handler:   "sqlite",
		SQLiteURL: *folder,
	})
	if err != nil {
		slog.Error(err.Error())
		os.Exit(1)
	}

	context, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := server.Run(context); err != nil {
		slog.Error(err.Error())
		os.Exit(1)
	}
}
