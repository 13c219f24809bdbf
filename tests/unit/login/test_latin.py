"""Names in Latin letters: the examples of the resolution, and what is no Ukrainian name."""

import pytest

from signer_core.login.latin import in_latin


@pytest.mark.parametrize(
    ("name", "latin"),
    [
        ("Алушта", "Alushta"),
        ("Згурський", "Zghurskyi"),
        ("Розгон", "Rozghon"),
        ("Ґалаґан", "Galagan"),
        ("Єнакієве", "Yenakiieve"),
        ("Гаєвич", "Haievych"),
        ("Їжакевич", "Yizhakevych"),
        ("Кадиївка", "Kadyivka"),
        ("Йосипівка", "Yosypivka"),
        ("Стрий", "Stryi"),
        ("Щербухи", "Shcherbukhy"),
        ("Юрій", "Yurii"),
        ("Крюківка", "Kriukivka"),
        ("Яготин", "Yahotyn"),
        ("Костянтин", "Kostiantyn"),
        ("Знам'янка", "Znamianka"),
        ("Феодосія", "Feodosiia"),
        ("Тестова Олена", "Testova Olena"),
        ("Нечуй-Левицький", "Nechui-Levytskyi"),
        ("ЩУКА", "SHCHUKA"),
        ("Smith", "Smith"),
        ("", ""),
    ],
)
def test_a_name_reads_as_in_the_resolution(name, latin):
    assert in_latin(name) == latin
