"""A metric of the zoo's detector."""


class BestScore:
    """How far the best score of a picture is from that of the source model."""

    higher_is_better, range, per_sample = False, (0, 1), True

    def score(self, outputs, labels):
        """Of each sample."""
        return abs(outputs["scores"].reshape(len(labels), -1)[:, 0] - labels[:, 0])


class Boxes:
    """How far boxes are from those of the source model, in pixels, whatever their scores."""

    higher_is_better, range, per_sample = False, (0, float("inf")), True

    def score(self, outputs, labels):
        """Of each sample."""
        return abs(outputs["boxes"] - labels).mean(axis=1)
