"""What all backends share that ask and tell an engine elsewhere, over HTTP or by commands."""
