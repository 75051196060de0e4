"""`make docs`: the pages of the repository as a site.

`links` finds and checks what the pages point to, `source` lays them out for the site's builder,
`zensical.toml` says how it looks and in which order they come.
"""
