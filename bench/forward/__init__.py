"""What a forwarded voice packet costs the media worker."""
