"""What the benches found: kept as JSON, shown as tables and plots."""
