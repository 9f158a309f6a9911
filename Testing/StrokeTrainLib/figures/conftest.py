"""Every figure of these tests is measured as drawn: what it says, and whether any words touch or leave the page."""

import gc
import itertools
import weakref

import pytest

from StrokeTrainLib.figures import page as pages


class Drawn:
    """What the figures of one test showed."""

    def __init__(self):
        self.words = []
        self.touching = []
        self.outside = []
        self.figures = []
        self.limits = []

    def measure(self, figure):
        from matplotlib.text import Text

        figure.draw_without_rendering()
        texts = [t for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip()]
        boxes = [(t.get_text(), t.get_window_extent()) for t in texts if self._on_visible_axis(t, figure)]
        self.words += [text for text, _ in boxes]
        for (one, box), (other, second) in itertools.combinations(boxes, 2):
            across = min(box.x1, second.x1) - max(box.x0, second.x0)
            down = min(box.y1, second.y1) - max(box.y0, second.y0)
            if across > 1 and down > 1:
                self.touching.append((one, other))
        self.limits += [(axes.get_xlim(), axes.get_ylim()) for axes in figure.axes if axes.axison]
        page = figure.bbox
        self.outside += [t for t, b in boxes if b.x0 < -1 or b.y0 < -1 or b.x1 > page.x1 + 1 or b.y1 > page.y1 + 1]
        self.figures.append(weakref.ref(figure))

    @staticmethod
    def _on_visible_axis(text, figure):
        # Ticks beyond the axes' limits exist but are not drawn.
        for axes in figure.axes:
            for axis in (axes.xaxis, axes.yaxis):
                for which in (axis.get_major_ticks(), axis.get_minor_ticks()):
                    if any(text in (tick.label1, tick.label2) for tick in which):
                        low, high = sorted(axis.get_view_interval())
                        tick = next(tick for tick in which if text in (tick.label1, tick.label2))
                        return axes.axison and low <= tick.get_loc() <= high
        return True

    def says(self, words):
        return any(words in text for text in self.words)

    def alive(self):
        gc.collect()
        return [ref for ref in self.figures if ref() is not None]


@pytest.fixture
def drawn(monkeypatch):
    found = Drawn()
    render = pages._rendered

    def measured(figure):
        found.measure(figure)
        return render(figure)

    monkeypatch.setattr(pages, "_rendered", measured)
    return found
