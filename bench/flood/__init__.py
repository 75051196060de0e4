"""What a media worker makes of datagrams that nobody should send."""
