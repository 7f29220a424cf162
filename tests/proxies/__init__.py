"""The chat behind reverse proxies that are known: nginx, Caddy."""
