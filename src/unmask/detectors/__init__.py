"""One file a detector: nn.Module, a batch of crops in, logits out."""
