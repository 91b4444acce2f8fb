"""The design space of diffusion models' noise levels and training (Wang, He and Tao)."""
