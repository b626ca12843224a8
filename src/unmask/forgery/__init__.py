"""Pictures in, forged pictures out: self-blending, face swap; the demo's data."""
