"""How a person gives one raw value: a picture, a text, a row, a sound, numbers; and what becomes of it for a network.

Nothing of a dataset is needed for it: its files may be gone. Readers take files by `Path` and contents by `bytes`; a
`str` is a text and never the name of a file, so that what comes from elsewhere opens none.
"""

from studio.data.forms.base import InputError, Raw, RawForm
from studio.data.forms.learned import RowColumn, RowForm, TextForm, learned_form
from studio.data.forms.pictures import Drawing, PictureForm
from studio.data.forms.plain import ArrayForm, CharactersForm, NumbersForm, plain_form, plain_forms
from studio.data.forms.sounds import SoundForm
from studio.data.forms.windows import WindowForm

__all__ = [
    "ArrayForm", "CharactersForm", "Drawing", "InputError", "NumbersForm", "PictureForm", "Raw", "RawForm",
    "RowColumn", "RowForm", "SoundForm", "TextForm", "WindowForm", "learned_form", "plain_form", "plain_forms",
]  # fmt: skip
