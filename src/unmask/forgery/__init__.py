"""Pictures in, forged pictures out: self-blending, faces blended or warped for training, face swap; the demo's data."""
