"""Every fault in a file that people write ends in one line: file, field, value, expectation."""

import pytest

from tests.verdicts.toy import Toy
from verdicts.claims.loading import load_claims, load_config, load_exhibits
from verdicts.claims.schema import Profile
from verdicts.errors import UserError

CLAIM_FAULTS = [
    ('expected = "holds"', 'expected = "hold"', "claim[A1].expected = 'hold': input should be 'holds'"),
    ('expected = "holds"', 'expected = "not run"', "claim[A1].expected = 'not run': expected holds"),
    ('evidence = "algebra"', "", "claim[A1].evidence is missing"),
    ('group = "alpha"', 'group = "alpah"', "claim A1: unknown group 'alpah': did you mean alpha?"),
    ('origin = "rounding"', 'origin = "taste"', "claim[A1].check[A1.one].origin = 'taste': expected one of algebra"),
    ("tolerance = 1e-12", "tolerance = -1", "claim[A1].check[A1.one].tolerance = -1: input should be greater"),
    ("tolerance = 1e-12", "tolerance = nan", "tolerance = nan: input should be a finite number"),
    ('relation = "="', 'relation = "=="', "claim[A1].check[A1.one].relation = '=='"),
    ('title = "One is one"', 'titel = "One is one"', "claim[A1].title is missing (and 1 more)"),
    ('id = "A2"', 'id = "A1"', "the claim id A1 is given 2 times"),
    ('id = "A2.two"', 'id = "A1.one"', "the check id A1.one is given 2 times"),
    ('id = "beta"', 'id = "alpha"', "the group id alpha is given 2 times"),
    ('group = "beta"', 'group = "alpha"', "group beta has no claim"),
    ("test_toy.py::test_one", "test_toy.py::test_gone", "claim[A1].falsifier"),
    ("test_toy.py::test_one", "test_no.py::test_one", "'tests/test_no.py::test_one': no such test"),
    ("::TestToy::test_two", "::test_two", "claim[A2].falsifier = 'tests/test_toy.py::test_two': no such test"),
    ('part = "theory"', 'part = "theory"\nnotebook = "gone.py"', "group[alpha].notebook = 'gone.py': no such file"),
    ("[[group]]", "[[group", "not valid TOML"),
    ('profiles = ["quick", "cpu", "gpu"]', "profiles = []", "claim[A1].profiles"),
    ("tolerance = 1e-12", f"tolerance = {'9' * 5000}", "not valid TOML"),
    ("tolerance = 1e-12", f"tolerance = 0x{'f' * 5000}", "claim[A1].check[A1.one].tolerance"),
    ("tolerance = 1e-12", f"tolerance = {'[' * 50_000}", "not valid TOML"),
    ('expected = "holds"', 'expected = "holds"\ndata = ["/etc/*"]', "'/etc/*' is no pattern of files below"),
    ('expected = "holds"', 'expected = "holds"\ndata = ["a/../../b"]', "'a/../../b' is no pattern of files below"),
    ('expected = "holds"', 'expected = "holds"\ndata = ["./"]', "'./' is no pattern of files below"),
    ('expected = "holds"', 'expected = "holds"\ndata = ["a/**x"]', "'a/**x': ** stands for folders"),
]


@pytest.mark.parametrize(("old", "new", "line"), CLAIM_FAULTS)
def test_a_fault_in_the_claims_is_one_line_that_names_it(tmp_path, old, new, line):
    toy = Toy.make(tmp_path)
    text = (tmp_path / "paper/claims.toml").read_text()
    assert old in text
    toy.write("paper/claims.toml", text.replace(old, new) if "beta" in old else text.replace(old, new, 1))
    with pytest.raises(UserError) as problem:
        load_claims(tmp_path)
    assert line in str(problem.value)
    assert str(problem.value).startswith("paper/claims.toml")
    assert "\n" not in str(problem.value)


def test_the_toy_loads_and_selects(tmp_path):
    Toy.make(tmp_path)
    claims = load_claims(tmp_path)
    assert [claim.id for claim in claims.select([])] == ["A1", "A2", "B1", "B2"]
    assert [claim.id for claim in claims.select(["B1", "alpha"])] == ["A1", "A2", "B1"]
    assert [claim.id for claim in claims.of_group("beta")] == ["B1", "B2"]
    with pytest.raises(UserError, match="unknown claim or group 'b11': did you mean B1"):
        claims.select(["b11"])
    with pytest.raises(UserError, match="unknown claim or group 'zzz': known: A1"):
        claims.select(["zzz"])


def test_a_missing_or_unreadable_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"paper/claims\.toml cannot be read"):
        load_claims(tmp_path)
    Toy.make(tmp_path)
    (tmp_path / "paper/claims.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match=r"paper/claims\.toml cannot be read"):
        load_claims(tmp_path)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("devise: cpu", "config/quick.yaml: devise = 'cpu': no such field"),
        ("device: tpu", "config/quick.yaml: device = 'tpu': input should be 'cpu' or 'cuda'"),
        ("groups: {alhpa: {}}", "config/quick.yaml: groups: unknown group 'alhpa': did you mean alpha?"),
        ("resources: {alpha: {threads: 0}}", "resources.alpha.threads = 0: input should be greater"),
        ("groups: {alpha: {steps: .nan}}", "groups.alpha.steps"),
        ("groups: {alpha: {day: 2020-01-01}}", "groups.alpha.day"),
        ("a: [", "config/quick.yaml is not valid YAML"),
        ("- 1", "config/quick.yaml: the whole file"),
        ("groups: {alpha: {steps: 2020-13-41}}", "config/quick.yaml is not valid YAML: ValueError month must be"),
        ("groups: {alpha: {steps: !!int foo}}", "config/quick.yaml is not valid YAML: ValueError"),
        ("groups: {alpha: {steps: !!bool foo}}", "config/quick.yaml is not valid YAML: KeyError"),
        ("groups: {alpha: {steps: !!timestamp foo}}", "config/quick.yaml is not valid YAML: AttributeError"),
        (f"groups: {{alpha: {{steps: {'9' * 5000}}}}}", "config/quick.yaml is not valid YAML: ValueError"),
        (f"groups: {{alpha: {{steps: 0x{'f' * 5000}}}}}", "config/quick.yaml is not valid YAML: ValueError"),
        ("[" * 5000, "config/quick.yaml is not valid YAML: RecursionError"),
        ('groups: {alpha: {"\\ud800": 1}}', "config/quick.yaml is not valid YAML: UnicodeEncodeError"),
        ("groups: {alpha: {steps: 3, steps: 7}}", "the key 'steps' is given twice"),
        ("groups:\n  alpha: {steps: 3}\n  alpha: {steps: 7}", "the key 'alpha' is given twice"),
    ],
)
def test_a_fault_in_the_configuration_is_one_line(tmp_path, text, line):
    toy = Toy.make(tmp_path)
    toy.write("config/quick.yaml", text)
    with pytest.raises(UserError) as problem:
        load_config(tmp_path, Profile.QUICK, load_claims(tmp_path))
    assert line in str(problem.value)
    assert "\n" not in str(problem.value)


def test_a_repeated_key_is_told_with_its_line_and_a_merged_one_may_be_given_anew(tmp_path):
    toy = Toy.make(tmp_path)
    claims = load_claims(tmp_path)
    toy.write("config/quick.yaml", "groups:\n  alpha: {steps: 3}\n  alpha: {steps: 7}\n")
    with pytest.raises(UserError, match=r"'alpha' is given twice.*line 3"):
        load_config(tmp_path, Profile.QUICK, claims)
    toy.write("config/quick.yaml", "groups:\n  alpha: &a {steps: 3, seed: 1}\n  beta: {<<: *a, steps: 7}\n")
    assert load_config(tmp_path, Profile.QUICK, claims).settings_of("beta") == {"steps": 7, "seed": 1}


def test_an_empty_configuration_stands_for_defaults(tmp_path):
    toy = Toy.make(tmp_path)
    toy.write("config/quick.yaml", "")
    config = load_config(tmp_path, Profile.QUICK, load_claims(tmp_path))
    assert config.settings_of("alpha") == {}
    assert config.resources_of("alpha").threads == 1


def test_resources_fall_back_to_the_default_entry(tmp_path):
    toy = Toy.make(tmp_path)
    toy.write("config/cpu.yaml", "resources: {default: {mem_mb: 5}, alpha: {threads: 2}}")
    config = load_config(tmp_path, Profile.CPU, load_claims(tmp_path))
    assert (config.resources_of("beta").mem_mb, config.resources_of("alpha").threads) == (5, 2)


def test_exhibits(tmp_path):
    toy = Toy.make(tmp_path)
    assert load_exhibits(tmp_path).exhibit == ()
    entry = '[[exhibit]]\nid = "Table 1"\ntitle = "t"\nwhat = "w"\nstatus = "scaled"\n'
    toy.write("paper/exhibits.toml", entry)
    assert load_exhibits(tmp_path).exhibit[0].id == "Table 1"
    toy.write("paper/exhibits.toml", entry.replace("scaled", "half"))
    with pytest.raises(UserError, match=r"paper/exhibits\.toml: exhibit\[Table 1\]\.status = 'half'"):
        load_exhibits(tmp_path)


def test_an_overlay_cuts_the_sizes_of_its_profile_alone(tmp_path, monkeypatch):
    toy = Toy.make(tmp_path)
    toy.write("config/cpu.yaml", "groups: {alpha: {steps: 9, seed: 1}, beta: {steps: 5}}")
    toy.write("config/quick.yaml", "groups: {alpha: {steps: 3}}")
    toy.write("config/small.yaml", "{profile: cpu, groups: {alpha: {steps: 2}}, resources: {alpha: {mem_mb: 7}}}")
    monkeypatch.setenv("AMS_CONFIG", "config/small.yaml")
    claims = load_claims(tmp_path)
    config = load_config(tmp_path, Profile.CPU, claims)
    assert config.settings_of("alpha") == {"steps": 2, "seed": 1}
    assert config.settings_of("beta") == {"steps": 5}
    assert config.resources_of("alpha").mem_mb == 7
    assert load_config(tmp_path, Profile.QUICK, claims).settings_of("alpha") == {"steps": 3}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("groups: {}", "over.yaml: profile is missing"),
        ("{profile: cpu, groups: {alhpa: {}}}", "unknown group 'alhpa'"),
        ("{profile: cpu, device: cpu}", "over.yaml: device = 'cpu': no such field"),
        (None, "over.yaml cannot be read"),
    ],
)
def test_a_fault_in_an_overlay_is_one_line(tmp_path, monkeypatch, text, line):
    toy = Toy.make(tmp_path)
    if text is not None:
        toy.write("config/over.yaml", text)
    monkeypatch.setenv("AMS_CONFIG", "config/over.yaml")
    with pytest.raises(UserError) as problem:
        load_config(tmp_path, Profile.CPU, load_claims(tmp_path))
    assert line in str(problem.value)
    assert "\n" not in str(problem.value)
