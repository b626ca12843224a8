"""The LightningModule, losses, the run; ends by calling inference and scoring."""
