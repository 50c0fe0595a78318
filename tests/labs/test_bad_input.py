"""Whatever a student writes or types: one clear line, the right exit code, and nothing is lost."""

import json

import pytest

from testbed.labs.folders import begin
from testbed.labs.lab import complete_labs, every_lab, find_lab
from tests.labs.sheet import saga

INBOX = """
SCHEMA = "CREATE TABLE IF NOT EXISTS a (k TEXT PRIMARY KEY, answer TEXT)"

def recall(tx, command):
    row = tx.one("SELECT answer FROM a WHERE k = ?", command.message_id)
    return row["answer"] if row else None

def remember(tx, command, answer):
    tx.run("INSERT INTO a VALUES (?, ?)", command.message_id, answer)
"""


@pytest.fixture
def lab2(tmp_path):
    begin(find_lab("2"), tmp_path / "lab2")
    return tmp_path


def check_inbox(folder, text, *options):
    (folder / "lab2/inbox.py").write_text(text)
    return saga(folder, "lab", "check", "2", *options)


def is_one_line(done, *parts):
    assert done.returncode == 2, done
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    for part in ("error: ", *parts):
        assert part in done.stderr


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ("def recall(tx, command)\n    pass\n", ("lab2/inbox.py:1: SyntaxError",)),
        ("import nothing_of_that_name\n", ("lab2/inbox.py:1: ", "nothing_of_that_name")),
        (INBOX.replace("TABLE IF", "TABEL IF"), ("lab2/inbox.py: SCHEMA: ", "TABEL")),
        (
            INBOX.replace("EXISTS a", "EXISTS inbox"),
            ("SCHEMA: every participant has a table inbox",),
        ),
        (INBOX.replace("SCHEMA =", "SHEMA ="), ("lab2/inbox.py: it has no SCHEMA",)),
        (INBOX.replace("remember", "remembr"), ("lab2/inbox.py", "no function remember")),
    ],
)
def test_code_that_cannot_be_read_names_file_and_line(lab2, broken, says):
    is_one_line(check_inbox(lab2, broken), *says)


def test_a_state_machine_with_a_comma_too_many_names_the_line(tmp_path):
    begin(find_lab("4"), tmp_path / "lab4")
    path = tmp_path / "lab4/order_saga.asl.json"
    path.write_text(path.read_text().replace('"PlaceOrder",\n', '"PlaceOrder",,\n', 1))
    is_one_line(saga(tmp_path, "lab", "check", "4"), "lab4/order_saga.asl.json:3: not JSON")


@pytest.mark.slow
def test_a_loop_without_end_is_ended_and_its_line_is_named(lab2):
    done = check_inbox(
        lab2,
        "import time\n"
        + INBOX.replace("    row =", "    while True:\n        time.sleep(1)\n    row ="),
    )
    assert done.returncode == 1
    assert "it hangs: choreography: scenario lost_reply, ended after 10 s" in done.stdout
    assert "lab2/inbox.py:7, in recall, was still busy" in done.stdout


@pytest.mark.slow
def test_a_loop_without_end_on_import_is_ended_too(lab2):
    done = check_inbox(lab2, INBOX + "while True:\n    pass\n")
    assert done.returncode == 1
    assert "it hangs: reading the saga" in done.stdout
    assert "lab2/inbox.py:1" in done.stdout


@pytest.mark.parametrize(
    ("end", "says"),
    [
        ("import os; os._exit(0)", "exit code 0"),
        ("raise SystemExit(3)", "inbox.py:5: SystemExit: 3"),
    ],
)
def test_code_that_ends_the_program_has_not_passed(lab2, end, says):
    done = check_inbox(lab2, INBOX.replace("    row =", f"    {end}\n    row ="))
    assert done.returncode == 1
    assert "your code ended the program" in done.stdout
    assert says in done.stdout


def test_an_error_in_a_students_function_is_told_with_its_line_though_the_styles_retry_it(lab2):
    done = check_inbox(lab2, INBOX.replace(" if row else None", ""))
    assert done.returncode == 1
    assert "lab2/inbox.py:6: TypeError: 'NoneType' object is not subscriptable" in done.stdout
    assert done.stdout.count("Hint: ") == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (INBOX.replace("message_id", "order_id"), "a new command was taken for an old one"),
        (INBOX.replace("message_id", "caused_by"), "two different commands"),
        (INBOX.replace('row["answer"] if row else None', "row"), "a str, not a row"),
        (INBOX + "SEEN = {}\ndef recall(tx, c):\n    return SEEN.get(c.message_id)\ndef remember(tx, c, a):\n    SEEN[c.message_id] = a\n", "must live in the database"),
    ],
    ids=["one answer per order", "one answer per cause", "a row", "a dictionary"],
)  # fmt: skip
def test_a_usual_mistake_of_lab_2_fails_and_gets_the_hint_that_fits(lab2, wrong, hint):
    done = check_inbox(lab2, wrong.replace("INSERT INTO", "INSERT OR REPLACE INTO"))
    assert done.returncode == 1
    (given,) = [line for line in done.stdout.splitlines() if line.startswith("Hint: ")]
    assert hint in given


@pytest.mark.parametrize(
    ("published", "says"),
    [
        ('tx.run("DELETE FROM o")', "tried by itself"),
        ("pass", "waiting gives ['the first', 'the second']"),
    ],
    ids=["forgets all", "forgets none"],
)
@pytest.mark.slow
def test_a_usual_mistake_of_lab_3_fails(tmp_path, published, says):
    begin(find_lab("3"), tmp_path / "lab3")
    (tmp_path / "lab3/outbox.py").write_text(
        'SCHEMA = "CREATE TABLE IF NOT EXISTS o (n INTEGER PRIMARY KEY, id TEXT, m TEXT)"\n'
        'def put(tx, i, m):\n    tx.run("INSERT INTO o (id, m) VALUES (?, ?)", i, m)\n'
        'def waiting(tx):\n    return [r["m"] for r in tx.all("SELECT m FROM o ORDER BY n")]\n'
        f"def published(tx, i):\n    {published}\n"
    )
    done = saga(tmp_path, "lab", "check", "3")
    assert done.returncode == 1
    assert says in done.stdout


def test_what_a_students_code_prints_is_kept_beside_it(lab2):
    done = check_inbox(lab2, "print('hello')\n" + INBOX.replace("def recall", "def recal"))
    assert done.stdout == ""
    assert (lab2 / "lab2/printed.txt").read_text() == "hello\n"


@pytest.mark.slow
def test_what_the_judge_goes_by_cannot_be_changed_to_pass(lab2):
    laws = lab2 / "lab2/laws.py"
    laws.write_text(laws.read_text() + "# all is well\n")
    done = check_inbox(lab2, INBOX)
    assert done.returncode == 1
    assert "First that fails: lab2/laws.py is changed" in done.stdout


@pytest.mark.slow
def test_a_check_works_inside_of_the_folder_and_as_json(lab2):
    (lab2 / "lab2/inbox.py").write_text(INBOX)
    done = saga(lab2 / "lab2", "lab", "check", "2", "--json")
    document = json.loads(done.stdout)
    assert done.returncode == 0
    assert document["ok"]
    assert all(part["passed"] == part["of"] for part in document["parts"])


def test_starting_and_solving_never_write_over_anything(lab2):
    (lab2 / "lab2/inbox.py").write_text("mine")
    is_one_line(saga(lab2, "lab", "start", "2"), "lab2 is there already")
    assert saga(lab2, "lab", "solve", "2").returncode == 0
    is_one_line(saga(lab2, "lab", "solve", "2"), "lab2_solution is there already")
    is_one_line(saga(lab2, "lab", "solve", "2", "lab2"), "lab2 is there already")
    assert (lab2 / "lab2/inbox.py").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("start", "9"), "there is no lab '9': labs are 1, 2"),
        (("start", "lost-repyl"), "did you mean 'lost-reply'?"),
        (("start", "2", "My Lab"), "small letters, digits and _ only"),
        (("start", "2", "json"), "the name of a Python package"),
        (("start", "2", "nowhere/lab2"), "nowhere is no folder"),
        (("check", "2", "nothing_here"), "nothing_here is no folder of a lab: begin with saga lab start 2"),
        (("check", "3"), "lab3 is no folder of a lab: begin with saga lab start 3"),
        (("check", "3", "lab2"), "lab2 is a folder of lab 02-lost-reply, not of 03-commit-then-publish"),
    ],
)  # fmt: skip
def test_a_wrong_name_or_folder_is_one_clear_line(lab2, arguments, says):
    is_one_line(saga(lab2, "lab", *arguments), says)


def test_a_damaged_mark_is_one_clear_line(lab2):
    (lab2 / "lab2/lab.json").write_text("{")
    is_one_line(saga(lab2, "lab", "check", "2"), "lab2/lab.json cannot be read")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('q1 = "\n', "lab7/answers.toml: Illegal character"),
        ('q99 = ""\n', "there is no question 'q99': they are q1 to q7"),
        (None, "lab7/answers.toml: No such file"),
    ],
)
def test_answers_that_cannot_be_read_are_one_clear_line(tmp_path, text, says):
    begin(find_lab("7"), tmp_path / "lab7")
    path = tmp_path / "lab7/answers.toml"
    path.unlink() if text is None else path.write_text(text)
    is_one_line(saga(tmp_path, "lab", "check", "7"), says)


def test_an_answer_may_be_written_in_small_letters_and_with_other_spaces(tmp_path):
    begin(find_lab("7"), tmp_path / "lab7", part="solution")
    path = tmp_path / "lab7/answers.toml"
    path.write_text(
        path.read_text().replace("RefundPayment, ReleaseStock,", "refundpayment ,releaseStock,")
    )
    assert saga(tmp_path, "lab", "check", "7").returncode == 0


def test_hints_come_one_after_the_other_and_the_last_one_stays(tmp_path):
    lab = find_lab("4")
    said = saga(tmp_path, "lab", "hint", "4").stdout
    assert said.startswith(f"1 of {len(lab.hints)}: ")
    assert "saga lab hint 4 2" in said
    last = saga(tmp_path, "lab", "hint", "4", "99").stdout
    assert last == f"{len(lab.hints)} of {len(lab.hints)}: {lab.hints[-1].says}\n"


def test_the_list_names_every_lab(tmp_path):
    said = saga(tmp_path, "lab", "list").stdout
    listed = json.loads(saga(tmp_path, "lab", "list", "--json").stdout)["labs"]
    assert [row["number"] for row in listed] == list(range(1, 9))
    assert all(lab.title in said and lab.name[3:] in said for lab in every_lab())


def test_names_of_labs_are_completed():
    assert complete_labs("lost") == [("lost-reply", "The lost reply")]
    assert ("2", "The lost reply") in complete_labs("")


def test_the_sheet_is_written_for_the_folder_that_was_chosen(tmp_path):
    saga(tmp_path, "lab", "start", "2", "tuesday")
    sheet = (tmp_path / "tuesday/README.md").read_text()
    assert "tuesday/inbox.py" in sheet
    assert "lab2" not in sheet
    assert "<!--" not in sheet
