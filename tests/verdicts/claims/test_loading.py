"""Every fault in a file that people write ends in one line: file, field, value, expectation."""

import pytest

from tests.verdicts.toy import Toy
from verdicts.claims.loading import load_claims, load_config
from verdicts.claims.schema import OUTLINE, Profile
from verdicts.errors import UserError

CLAIM_FAULTS = [
    ('expected = "holds"', 'expected = "hold"', "claim[A1].expected = 'hold': input should be 'holds'"),
    ('evidence = "algebra"', "", "claim[A1].evidence is missing"),
    ('origin = "rounding"', 'origin = "taste"', "claim[A1].check[A1.one].origin = 'taste': expected one of algebra"),
    ("tolerance = 1e-12", "tolerance = nan", "tolerance = nan: input should be a finite number"),
    ('title = "One is one"', 'titel = "One is one"', "claim[A1].title is missing (and 1 more)"),
    ("test_toy.py::test_one", "test_toy.py::test_gone", "claim[A1].falsifier"),
    ("::TestToy::test_two", "::test_two", "claim[A2].falsifier = 'tests/test_toy.py::test_two': no such test"),
    *(
        ('measure = "checks.one"', entry, f"check[A1.one].{line}")
        for entry, line in (
            ('measure = "checks.noe"', "measure: unknown function of checks.py 'noe': did you mean one?"),
            ('measure = "cheks.one"', "measure: unknown function of cheks.py 'one': known: none"),
            ('measure = "one"', "measure = 'one'"),
            ("", "measure is missing"),
            ('measure = "checks.scaled"\nwith = { facto = 2 }', "with: unknown argument of checks.scaled 'facto': did"),
            ('measure = "checks.scaled"', "with: checks.scaled also needs factor"),
            ('measure = "checks.one"\nenclosed = "checks.noe"', "enclosed: unknown function of checks.py 'noe'"),
        )
    ),
    ("[group]", "[group", "not valid TOML"),
    ("[group]", "[group]\nid = 'alpha'", "group.id = 'alpha': no such field"),
    ('part = "theory"', 'part = "theory"\ncommands = { Bad = "a:b" }', "group.commands.Bad"),
    ('part = "theory"', 'part = "theory"\ncommands = { good = "a.b" }', "group.commands.good = 'a.b'"),
    ('expected = "holds"', 'expected = "holds"\ndata = ["a/../../b"]', "'a/../../b' is no pattern of files below"),
    ('expected = "holds"', 'expected = "holds"\ndata = ["a/**x"]', "'a/**x': ** stands for folders"),
]


def complaint(load, *arguments) -> str:
    """Return the one line in which a function complains."""
    with pytest.raises(UserError) as problem:
        load(*arguments)
    assert "\n" not in str(problem.value)
    return str(problem.value)


@pytest.mark.parametrize(("old", "new", "line"), CLAIM_FAULTS)
def test_a_fault_in_a_claims_file_is_one_line_that_names_it(toy, old, new, line):
    text = toy.claims("alpha").read_text()
    assert old in text
    toy.claims("alpha").write_text(text.replace(old, new, 1))
    said = complaint(load_claims, toy.root)
    assert line in said and said.startswith(f"{toy.package}/alpha/claims.toml")


BETWEEN_FILES = [
    ('id = "A2"', 'id = "B1"', "the claim id B1 is given 2 times"),
    ('id = "A2"', 'id = "P1"', "the claim id P1 is given 2 times"),
    ('id = "A2.two"', 'id = "B1.three"', "the check id B1.three is given 2 times"),
    ('part = "theory"', 'part = "theroy"', "group alpha: unknown part 'theroy': did you mean theory?"),
    ('id = "A1"', 'id = "A1"\npaper = ["P3"]', "claim A1: unknown stated claim 'P3': did you mean P1 or P2?"),
    ('id = "A1"', 'id = "A1"\nsupports = ["X"]', "claim A1: unknown stated claim 'X': known: P1; P2"),
]


@pytest.mark.parametrize(("old", "new", "line"), BETWEEN_FILES)
def test_what_does_not_fit_together_is_one_line(toy, old, new, line):
    toy.replace_in_claims("alpha", old, new)
    said = complaint(load_claims, toy.root)
    assert line in said and said.startswith(f"{toy.package}/: ")


def test_two_groups_of_one_name_are_refused(toy):
    text = toy.claims("alpha").read_text().replace('id = "A', 'id = "C')
    toy.write(f"{toy.package}/deeper/alpha/claims.toml", text)
    with pytest.raises(UserError, match="the group id alpha is given 2 times"):
        load_claims(toy.root)


@pytest.mark.parametrize("folder", ["Alpha", "1st", "with-dash"])
def test_a_folder_that_is_no_module_is_refused(toy, folder):
    toy.claims("beta").unlink()
    toy.write(f"{toy.package}/{folder}/claims.toml", toy.claims("alpha").read_text().replace('id = "A', 'id = "C'))
    with pytest.raises(UserError, match=rf"{folder}/claims\.toml: .*id = '{folder}'"):
        load_claims(toy.root)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("subject = 3", "paper/outline.toml: subject = 3: input should be a valid string (and 1 more)"),
        ('subject = "s"', "paper/outline.toml: part is missing"),
    ],
)
def test_a_fault_in_the_outline_is_one_line(toy, text, line):
    toy.write(OUTLINE, text)
    assert complaint(load_claims, toy.root).startswith(line)


def test_the_toy_loads_and_selects(toy):
    claims = load_claims(toy.root)
    assert [claim.id for claim in claims.select([])] == ["A1", "A2", "B1", "B2"]
    assert [claim.id for claim in claims.select(["B1", "alpha"])] == ["A1", "A2", "B1"]
    assert [claim.id for claim in claims.of_group("beta")] == ["B1", "B2"]
    alpha = claims.group[0]
    assert (alpha.id, alpha.module, alpha.folder) == ("alpha", f"{toy.package}.alpha", f"{toy.package}/alpha")
    with pytest.raises(UserError, match="unknown claim or group 'b11': did you mean B1"):
        claims.select(["b11"])
    with pytest.raises(UserError, match="unknown claim or group 'zzz': see --list"):
        claims.select(["zzz"])


def test_groups_come_by_part_then_by_order_then_by_place(toy):
    for name, letter in (("aaa", "C"), ("zzz", "D")):
        text = toy.claims("alpha").read_text().replace('id = "A', f'id = "{letter}')
        toy.write(f"{toy.package}/{name}/claims.toml", text.replace("[group]", "[group]\norder = 1"))
        toy.write(f"{toy.package}/{name}/checks.py", toy.claims("alpha").with_name("checks.py").read_text())
    assert [group.id for group in load_claims(toy.root).group] == ["alpha", "aaa", "zzz", "beta"]


@pytest.mark.parametrize("kinds", [("py",), ("md",), ("py", "md")])
def test_a_notebook_is_the_groups_own_file(toy, kinds):
    assert load_claims(toy.root).group[0].notebook is None
    for kind in kinds:
        toy.add_notebook("alpha", "", kind)
    assert load_claims(toy.root).group[0].notebook == f"{toy.package}/alpha/notebook.{kinds[-1]}"


def test_a_missing_or_unreadable_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"paper/outline\.toml cannot be read"):
        load_claims(tmp_path)
    toy = Toy.make(tmp_path)
    toy.claims("beta").write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match=r"beta/claims\.toml cannot be read"):
        load_claims(tmp_path)
    toy.claims("beta").unlink()
    toy.claims("beta").mkdir()
    with pytest.raises(UserError, match=r"beta/claims\.toml cannot be read"):
        load_claims(tmp_path)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('devise = "cpu"', "config/quick.toml: devise = 'cpu': no such field"),
        ("[groups.alhpa]", "config/quick.toml: groups: unknown group 'alhpa': did you mean alpha?"),
        ("[resources.alhpa]", "config/quick.toml: resources: unknown group 'alhpa': did you mean alpha?"),
        ("[resources.alpha]\nthreads = 0", "resources.alpha.threads = 0: input should be greater"),
        ("[groups.alpha]\nsteps = nan", "groups.alpha.steps"),
        ("a = [", "config/quick.toml is not valid TOML"),
        (f"groups.alpha.steps = {'9' * 5000}", "config/quick.toml is not valid TOML"),
        (f"notebooks = 0x{'f' * 5000}", "config/quick.toml: notebooks = a number of too many digits"),
        (f"a = {'[' * 50_000}", "config/quick.toml is not valid TOML"),
        ('"\\uD800" = 1', "config/quick.toml is not valid TOML"),
        ("notebooks = true\nnotebooks = false", "config/quick.toml is not valid TOML: Cannot overwrite a value"),
        ('extends = "cpu"', "config/quick.toml: extends = 'cpu': a smaller profile than quick is meant"),
    ],
)
def test_a_fault_in_the_configuration_is_one_line(toy, text, line):
    toy.write("config/quick.toml", text)
    assert line in complaint(load_config, toy.root, Profile.QUICK, load_claims(toy.root))


def test_resources_fall_back_to_the_default_entry_and_this_to_one_thread(toy):
    for text, memory, threads in (("default = { mem_mb = 5 }\nalpha = { threads = 2 }", 5, 2), ("", 2000, 1)):
        toy.write("config/cpu.toml", f"[resources]\n{text}\n")
        config = load_config(toy.root, Profile.CPU, load_claims(toy.root))
        assert (config.resources_of("beta").mem_mb, config.resources_of("alpha").threads) == (memory, threads)
        assert config.settings_of("alpha") == {}


def test_a_profile_stands_on_those_that_it_extends(toy):
    toy.write("config/cpu.toml", "notebooks = false\n[groups]\nalpha = { steps = 9, seed = 1 }\nbeta = { steps = 5 }\n")
    toy.write("config/full.toml", 'extends = "cpu"\nevery_picture = false\n[groups.alpha]\nsteps = 90\n')
    toy.write("config/paper.toml", 'extends = "full"\ndevice = "cuda"\n[groups.alpha]\nseed = 2\n')
    config = load_config(toy.root, Profile.PAPER, load_claims(toy.root))
    assert config.groups == {"alpha": {"steps": 90, "seed": 2}, "beta": {"steps": 5}}
    assert (config.notebooks, config.every_picture, config.device) == (False, False, "cuda")


def test_an_overlay_cuts_the_sizes_of_its_profile_alone(toy, monkeypatch):
    toy.write("config/cpu.toml", "[groups]\nalpha = { steps = 9, seed = 1 }\nbeta = { steps = 5 }\n")
    toy.write("config/quick.toml", "[groups.alpha]\nsteps = 3\n")
    over = 'profile = "cpu"\n[groups.alpha]\nsteps = 2\n[resources.alpha]\nmem_mb = 7\n'
    toy.write("config/small.toml", over)
    monkeypatch.setenv("VERDICTS_CONFIG", "config/small.toml")
    claims = load_claims(toy.root)
    config = load_config(toy.root, Profile.CPU, claims)
    assert config.settings_of("alpha") == {"steps": 2, "seed": 1} and config.settings_of("beta") == {"steps": 5}
    assert config.resources_of("alpha").mem_mb == 7
    assert load_config(toy.root, Profile.QUICK, claims).settings_of("alpha") == {"steps": 3}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("groups = {}", "over.toml: profile is missing"),
        ('profile = "cpu"\n[groups.alhpa]', "unknown group 'alhpa'"),
        ('profile = "cpu"\nnotebook = false', "over.toml: notebook = False: no such field"),
        (None, "over.toml cannot be read"),
    ],
)
def test_a_fault_in_an_overlay_is_one_line(toy, monkeypatch, text, line):
    if text is not None:
        toy.write("config/over.toml", text)
    monkeypatch.setenv("VERDICTS_CONFIG", "config/over.toml")
    assert line in complaint(load_config, toy.root, Profile.CPU, load_claims(toy.root))
