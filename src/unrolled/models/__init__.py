"""Networks: how embeddings, recurrent layers and outputs are wired together."""
