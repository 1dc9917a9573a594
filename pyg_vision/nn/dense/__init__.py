r"""The published, dense formulations: baselines and proofs of parity."""
