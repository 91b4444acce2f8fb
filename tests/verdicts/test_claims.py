"""Claims: a fault in a file of theirs is one line; a measurement is refused, or a verdict
follows from its interval.
"""

import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from pydantic import ValidationError

from tests.claims import entry
from tests.verdicts.toy import Toy
from verdicts import Enclosure, Measurement
from verdicts.claims.loading import load_claims, load_config
from verdicts.claims.measurement import check_verdict, claim_verdict, tightness
from verdicts.claims.schema import OUTLINE, Claim, Profile, Verdict
from verdicts.errors import UserError
from verdicts.records.record import CheckResult
from verdicts.report.words import spread

CLAIM_FAULTS = [
    (
        'expected = "holds"',
        'expected = "hold"',
        "claim[A1].expected = 'hold': input should be 'holds'",
    ),
    ('evidence = "algebra"', "", "claim[A1].evidence is missing"),
    (
        'origin = "rounding"',
        'origin = "taste"',
        "claim[A1].check[A1.one].origin = 'taste': expected one of algebra",
    ),
    ("tolerance = 1e-12", "tolerance = nan", "tolerance = nan: input should be a finite number"),
    ('title = "One is one"', 'titel = "One is one"', "claim[A1].title is missing (and 1 more)"),
    ("test_toy.py::test_one", "test_toy.py::test_gone", "claim[A1].falsifier"),
    (
        "::TestToy::test_two",
        "::test_two",
        "claim[A2].falsifier = 'tests/test_toy.py::test_two': no such test",
    ),
    *(
        ('measure = "checks.one"', entry, f"check[A1.one].{line}")
        for entry, line in (
            (
                'measure = "checks.noe"',
                "measure: unknown function of checks.py 'noe': did you mean one?",
            ),
            ('measure = "cheks.one"', "measure: unknown function of cheks.py 'one': known: none"),
            ('measure = "one"', "measure = 'one'"),
            ("", "measure is missing"),
            (
                'measure = "checks.one"\nenclosed = "checks.noe"',
                "enclosed: unknown function of checks.py 'noe'",
            ),
        )
    ),
    ("[group]", "[group", "not valid TOML"),
    ("[group]", "[group]\nid = 'alpha'", "group.id = 'alpha': no such field"),
    ('part = "theory"', 'part = "theory"\ncommands = { Bad = "a:b" }', "group.commands.Bad"),
    (
        'part = "theory"',
        'part = "theory"\ncommands = { good = "a.b" }',
        "group.commands.good = 'a.b'",
    ),
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
    (
        'part = "theory"',
        'part = "theroy"',
        "group alpha: unknown part 'theroy': did you mean theory?",
    ),
    (
        'id = "A1"',
        'id = "A1"\npaper = ["P3"]',
        "claim A1: unknown stated claim 'P3': did you mean P1 or P2?",
    ),
    (
        'id = "A1"',
        'id = "A1"\nsupports = ["X"]',
        "claim A1: unknown stated claim 'X': known: P1; P2",
    ),
]


@pytest.mark.parametrize(("old", "new", "line"), BETWEEN_FILES)
def test_what_does_not_fit_together_is_one_line(toy, old, new, line):
    toy.replace_in_claims("alpha", old, new)
    said = complaint(load_claims, toy.root)
    assert line in said and said.startswith(f"{toy.package}/: ")


def test_a_check_has_the_fields_that_its_claim_gives_all_checks_and_its_own_over_them(toy):
    claim = load_claims(toy.root).claim[0].model_dump(by_alias=True)
    shared = {
        **claim["check"][0],
        "quantity": "share of {of} at {at}, {not} there",
        "with": {"of": "A", "at": 1},
    }
    own = [
        {"id": "A1.one"},
        {"id": "A1.two", "with": {"at": 20}, "bound": 3.0},
        {"id": "A1.three", "quantity": "{of}"},
    ]
    one, two, three = Claim(**{**claim, "check": own}, common=shared).check
    assert (one.quantity, one.arguments, one.bound) == (
        "share of A at 1, {not} there",
        {"of": "A", "at": 1},
        1.0,
    )
    assert (two.quantity, two.arguments, two.bound) == (
        "share of A at 20, {not} there",
        {"of": "A", "at": 20},
        3.0,
    )
    assert three.quantity == "{of}"
    with pytest.raises(ValidationError, match=r"check.0\n.*should be a valid dictionary"):
        Claim(**{**claim, "check": ["A1.one"]}, common=shared)
    with pytest.raises(ValidationError, match=r"check.0.with\n.*should be a valid dictionary"):
        Claim(**{**claim, "check": [{"with": 1}]}, common=shared)


def test_two_groups_of_one_name_are_refused(toy):
    text = toy.claims("alpha").read_text().replace('id = "A', 'id = "C')
    toy.write(f"{toy.package}/deeper/alpha/claims.toml", text)
    with pytest.raises(UserError, match="the group id alpha is given 2 times"):
        load_claims(toy.root)


@pytest.mark.parametrize("folder", ["Alpha", "1st", "with-dash"])
def test_a_folder_that_is_no_module_is_refused(toy, folder):
    toy.claims("beta").unlink()
    toy.write(
        f"{toy.package}/{folder}/claims.toml",
        toy.claims("alpha").read_text().replace('id = "A', 'id = "C'),
    )
    with pytest.raises(UserError, match=rf"{folder}/claims\.toml: .*id = '{folder}'"):
        load_claims(toy.root)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "subject = 3",
            "paper/outline.toml: subject = 3: input should be a valid string (and 1 more)",
        ),
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
    assert (alpha.id, alpha.module, alpha.folder) == (
        "alpha",
        f"{toy.package}.alpha",
        f"{toy.package}/alpha",
    )
    with pytest.raises(UserError, match="unknown claim or group 'b11': did you mean B1"):
        claims.select(["b11"])
    with pytest.raises(UserError, match="unknown claim or group 'zzz': see --list"):
        claims.select(["zzz"])


def test_what_claims_and_checks_share_is_stated_once(toy):
    """One that states a field itself has its own."""
    common = '[common]\nn = "none"\ncheck = { unit = "m", origin = "algebra" }\n\n[[claim]]'
    path = toy.claims("alpha")
    path.write_text(path.read_text().replace("[[claim]]", common, 1))
    claim = load_claims(toy.root).select(["A1"])[0]
    assert (claim.n, claim.check[0].unit, claim.check[0].origin) == ("none", "m", "rounding")
    own = "[[claim]]\ncommon = { unit = 's' }"
    path.write_text(path.read_text().replace("[[claim]]", own, 1))
    assert load_claims(toy.root).select(["A1"])[0].check[0].unit == "s", "over that of the group"


def test_groups_come_by_part_then_by_order_then_by_place(toy):
    for name, letter in (("aaa", "C"), ("zzz", "D")):
        text = toy.claims("alpha").read_text().replace('id = "A', f'id = "{letter}')
        toy.write(
            f"{toy.package}/{name}/claims.toml", text.replace("[group]", "[group]\norder = 1")
        )
        toy.write(
            f"{toy.package}/{name}/checks.py",
            toy.claims("alpha").with_name("checks.py").read_text(),
        )
    assert [group.id for group in load_claims(toy.root).group] == ["alpha", "aaa", "zzz", "beta"]


def test_a_notebook_is_the_groups_own_file(toy):
    assert load_claims(toy.root).group[0].notebook is None
    toy.add_notebook("alpha", "")
    assert load_claims(toy.root).group[0].notebook == f"{toy.package}/alpha/notebook.md"


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
        (
            "[resources.alhpa]",
            "config/quick.toml: resources: unknown group 'alhpa': did you mean alpha?",
        ),
        ("[resources.alpha]\nthreads = 0", "resources.alpha.threads = 0: input should be greater"),
        ("[groups.alpha]\nsteps = nan", "groups.alpha.steps"),
        ("a = [", "config/quick.toml is not valid TOML"),
        (
            "notebooks = true\nnotebooks = false",
            "config/quick.toml is not valid TOML: Cannot overwrite a value",
        ),
        (
            'extends = "cpu"',
            "config/quick.toml: extends = 'cpu': a smaller profile than quick is meant",
        ),
    ],
)
def test_a_fault_in_the_configuration_is_one_line(toy, text, line):
    toy.write("config/quick.toml", text)
    assert line in complaint(load_config, toy.root, Profile.QUICK, load_claims(toy.root))


def test_resources_fall_back_to_the_default_entry_and_this_to_one_thread(toy):
    for text, memory, threads in (
        ("default = { mem_mb = 5 }\nalpha = { threads = 2 }", 5, 2),
        ("", 2000, 1),
    ):
        toy.write("config/cpu.toml", f"[resources]\n{text}\n")
        config = load_config(toy.root, Profile.CPU, load_claims(toy.root))
        assert (config.resources_of("beta").mem_mb, config.resources_of("alpha").threads) == (
            memory,
            threads,
        )
        assert config.settings_of("alpha") == {}


def test_a_profile_stands_on_those_that_it_extends(toy):
    toy.write(
        "config/cpu.toml",
        "notebooks = false\n[groups]\nalpha = { steps = 9, seed = 1 }\nbeta = { steps = 5 }\n",
    )
    toy.write(
        "config/full.toml", 'extends = "cpu"\nevery_picture = false\n[groups.alpha]\nsteps = 90\n'
    )
    toy.write("config/paper.toml", 'extends = "full"\ndevice = "cuda"\n[groups.alpha]\nseed = 2\n')
    config = load_config(toy.root, Profile.PAPER, load_claims(toy.root))
    assert config.groups == {"alpha": {"steps": 90, "seed": 2}, "beta": {"steps": 5}}
    assert (config.notebooks, config.every_picture, config.device) == (False, False, "cuda")


def test_an_overlay_cuts_the_sizes_of_its_profile_alone(toy, monkeypatch):
    toy.write(
        "config/cpu.toml", "[groups]\nalpha = { steps = 9, seed = 1 }\nbeta = { steps = 5 }\n"
    )
    toy.write("config/quick.toml", "[groups.alpha]\nsteps = 3\n")
    over = 'profile = "cpu"\n[groups.alpha]\nsteps = 2\n[resources.alpha]\nmem_mb = 7\n'
    toy.write("config/small.toml", over)
    monkeypatch.setenv("VERDICTS_CONFIG", "config/small.toml")
    claims = load_claims(toy.root)
    config = load_config(toy.root, Profile.CPU, claims)
    assert config.settings_of("alpha") == {"steps": 2, "seed": 1} and config.settings_of(
        "beta"
    ) == {"steps": 5}
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


PROOF = Enclosure(low=0.5, high=0.75, bits=128)


@pytest.mark.parametrize(
    ("given", "value"), [(True, 1.0), (np.bool_(False), 0.0), (np.float32(1.5), 1.5), (3, 3.0)]
)
def test_booleans_and_numpy_numbers_count(given, value):
    assert Measurement(value=given).value == value


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"value": math.nan}, "finite"),
        ({"value": 1.0, "low": -math.inf, "high": 2.0}, "finite"),
        ({"value": 1.0, "detail": {"a": [math.nan]}}, "finite"),
        ({"value": 1.0, "low": 0.0}, "half an interval"),
        ({"value": 1.0, "low": 2.0, "high": 3.0}, "does not hold the value"),
        ({"value": 1.0, "low": 1.5, "high": 0.5}, "does not hold the value"),
        ({"value": 1.0, "unitt": "m"}, "Extra"),
        ({"value": 1.0, "low": 0.0, "high": 2.0, "enclosure": PROOF}, "not about the value"),
        ({"value": 0.75, "enclosure": PROOF}, "not about the value"),
    ],
)
def test_what_is_no_measurement_is_refused(fields, complaint):
    with pytest.raises(ValidationError, match=complaint):
        Measurement(**fields)


def proof(value, low, high):
    return Measurement(
        value=value, low=low, high=high, enclosure=Enclosure(low=low, high=high, bits=128)
    )


def test_a_proof_takes_the_place_of_the_number_and_keeps_the_rest():
    plain = Measurement(value=0.5 + 1e-9, n=3, seeds=(1,), unit="m", detail={"a": 1})
    proved = plain.proved_by(proof(0.5, 0.49999999, 0.50000001), seconds=0.25)
    assert proved.interval == (0.49999999, 0.50000001)
    assert (proved.value, proved.n, proved.seeds, proved.unit, proved.detail) == (
        0.5,
        3,
        (1,),
        "m",
        {"a": 1},
    )
    assert proved.enclosure == Enclosure(low=0.49999999, high=0.50000001, bits=128, seconds=0.25)


@pytest.mark.parametrize("other", [proof(0.6, 0.6, 0.6), Measurement(value=0.5)])
def test_a_proof_of_another_number_or_without_an_enclosure_is_refused(other):
    with pytest.raises(ValueError, match="not that of its proof"):
        Measurement(value=0.5).proved_by(other, seconds=0.0)


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [
        (0.499079217642531, 0.4990792176425311, "0.4990792176 ± 5e−11, proved"),
        (60.0, 60.0, "60, proved"),
        (-1.0, 3.0, "1 ± 2, proved"),
        (0.25, 0.5, "0.375 ± 0.2, proved"),
    ],
)
def test_a_proved_number_is_shown_with_what_it_may_be_off(low, high, shown):
    fields = {"value": (low + high) / 2, "low": low, "high": high, "verdict": "holds"}
    result = CheckResult(id="X", **fields, enclosure=Enclosure(low=low, high=high, bits=128))
    assert spread(result) == shown
    wider = result.model_copy(update={"low": low - 1.0, "high": high + 1.0})
    assert spread(wider).startswith(f"{shown} [")


HOLDS, REFUTED, OPEN, NOT_RUN = (
    Verdict.HOLDS,
    Verdict.REFUTED,
    Verdict.INCONCLUSIVE,
    Verdict.NOT_RUN,
)


@pytest.mark.parametrize(
    ("low", "high", "equal", "at_most", "at_least"),
    [
        (0.0, 0.4, REFUTED, HOLDS, REFUTED),
        (0.0, 0.5, OPEN, HOLDS, OPEN),
        (0.5, 1.5, HOLDS, HOLDS, HOLDS),
        (0.4, 1.6, OPEN, OPEN, OPEN),
        (1.4, 1.6, OPEN, OPEN, HOLDS),
        (1.6, 2.0, REFUTED, REFUTED, HOLDS),
        (1.0, 1.0, HOLDS, HOLDS, HOLDS),
    ],
)
def test_check_verdicts(low, high, equal, at_most, at_least):
    measured = Measurement(value=low, low=low, high=high)
    found = tuple(check_verdict(entry(relation), measured) for relation in ("=", "<=", ">="))
    assert found == (equal, at_most, at_least)


@pytest.mark.parametrize(
    ("checks", "verdict"),
    [
        ([HOLDS, HOLDS], HOLDS),
        ([HOLDS, OPEN], OPEN),
        ([OPEN, NOT_RUN], NOT_RUN),
        ([NOT_RUN, REFUTED, HOLDS], REFUTED),
    ],
)
def test_claim_verdicts(checks, verdict):
    assert claim_verdict(checks) is verdict


@settings(deadline=None, max_examples=50)
@given(
    value=st.floats(-10, 10), spread=st.floats(0, 5), relation=st.sampled_from(["=", "<=", ">="])
)
def test_more_certainty_never_turns_a_verdict_around(value, spread, relation):
    wide = check_verdict(
        entry(relation), Measurement(value=value, low=value - spread, high=value + spread)
    )
    assert wide in (OPEN, check_verdict(entry(relation), Measurement(value=value)))


@pytest.mark.parametrize(
    ("relation", "bound", "tolerance", "value", "found"),
    [
        ("<=", 4.0, 0.0, 1.0, 0.25),
        ("<=", 3.0, 1.0, 1.0, 0.25),
        ("<=", 0.0, 1e-10, 2e-11, 0.2),
        ("<=", 0.0, 0.0, 1.0, None),
        (">=", 3.0, 1.0, 4.0, 2.0),
        (">=", 0.0, 0.0, 4.0, None),
        ("=", 3.0, 0.5, 2.75, 0.5),
        ("=", 3.0, 0.0, 3.0, None),
        ("<=", 1e-308, 0.0, 1e308, None),
    ],
)
def test_tightness_is_measured_over_allowed(relation, bound, tolerance, value, found):
    told = tightness(entry(relation, bound=bound, tolerance=tolerance), Measurement(value=value))
    assert told == (found if found is None else pytest.approx(found, rel=1e-15))
