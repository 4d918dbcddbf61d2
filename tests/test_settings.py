"""Where does each setting come from, and what is said of one that makes no sense?"""

import socket
from pathlib import Path

import pytest

from fairlead.settings import BadSetting, Settings, load


def write(folder: Path, text: str, name: str = "fairlead.toml") -> Path:
    (folder / name).write_text(text)
    return folder / name


def test_without_a_word_everything_is_as_documented(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert load({}, {}) == Settings()


def test_the_command_line_wins_over_the_environment_over_the_file_over_the_default(tmp_path):
    write(tmp_path, 'workers = 2\nlog-level = "debug"\nlisten = "127.0.0.1:1"\nmultitenant = true')
    environment = {"FAIRLEAD_DATA": str(tmp_path), "FAIRLEAD_WORKERS": "3", "FAIRLEAD_LISTEN": "127.0.0.1:2"}

    found = load({"workers": 4, "listen": None, "multitenant": None}, environment)

    assert (found.workers, found.listen, found.log_level, found.log_format) == (4, "127.0.0.1:2", "debug", "auto")
    assert found.multitenant is True
    assert found.data == tmp_path


def test_the_file_is_looked_for_where_the_data_is_unless_it_is_named(tmp_path):
    write(tmp_path, "workers = 2")
    elsewhere = write(tmp_path, "workers = 3", "other.toml")

    assert load({"data": tmp_path}, {}).workers == 2
    assert load({"data": tmp_path}, {}, elsewhere).workers == 3
    assert load({"data": tmp_path}, {"FAIRLEAD_CONFIG": str(elsewhere)}).workers == 3
    assert load({"data": tmp_path / "not yet there"}, {}).workers == 1


def test_variables_of_others_are_let_alone(tmp_path):
    assert load({"data": tmp_path}, {"FAIRLEAD_PASSWORD": "x", "FAIRLEAD_TOKEN": "y", "WORKERS": "7"}).workers == 1


@pytest.mark.parametrize(
    ("text", "value"), [("1", True), ("true", True), ("YES", True), ("on", True), ("0", False), ("False", False)]
)
def test_a_variable_may_say_yes_and_no_in_several_ways(tmp_path, text, value):
    assert load({"data": tmp_path}, {"FAIRLEAD_MULTITENANT": text}).multitenant is value


def test_what_is_kept_is_kept_in_the_data_folder_unless_said_otherwise(tmp_path):
    usual, other = (
        Settings(data=tmp_path),
        Settings(data=tmp_path, database="postgresql://h/n", blobs="s3://b", keys="/k"),
    )

    assert usual.database_url == f"sqlite:///{tmp_path}/fairlead.db"
    assert (usual.blobs_url, usual.keys_folder) == (str(tmp_path / "blobs"), tmp_path / "keys")
    assert (other.database_url, other.blobs_url, other.keys_folder) == ("postgresql://h/n", "s3://b", Path("/k"))


@pytest.mark.parametrize(
    ("set_to", "home"),
    [
        ({}, "http://127.0.0.1:8080"),
        ({"public_url": "https://updates.example.com/"}, "https://updates.example.com"),
        ({"listen": "[::1]:81"}, "http://[::1]:81"),
        ({"listen": "updates.example.com:443", "tls_cert": "cert.pem"}, "https://updates.example.com:443"),
        ({"listen": ":80"}, f"http://{socket.gethostname()}:80"),
        ({"listen": "[::]:80"}, f"http://{socket.gethostname()}:80"),
    ],
)
def test_links_in_letters_begin_with_the_public_address_or_else_with_our_own(set_to, home):
    assert Settings(**set_to).home_url == home


def test_a_mail_server_may_be_set(tmp_path):
    mail = {"smtp_host": "mail.example.com", "smtp_port": "25", "mail_from": "Fairlead <fairlead@example.com>"}

    found = load({"data": tmp_path}, {f"FAIRLEAD_{name.upper()}": value for name, value in mail.items()})

    assert (found.smtp_host, found.smtp_port, found.smtp_security) == ("mail.example.com", 25, "starttls")


BAD = {
    "a mail server without a sender": {"smtp_host": "mail.example.com"},
    "a sender that is none": {"mail_from": "fairlead"},
    "two senders": {"mail_from": "a@b.example, c@d.example"},
    "a mail port too high": {"smtp_port": "65536"},
    "no mail port": {"smtp_port": "0"},
    "an unheard-of security": {"smtp_security": "ssl"},
    "a mail user without a password": {"smtp_user": "fairlead"},
    "a mail password without a user": {"smtp_password": "secret"},
    "no port": {"listen": "127.0.0.1"},
    "a word for a port": {"listen": "127.0.0.1:http"},
    "a port too high": {"listen": "127.0.0.1:65536"},
    "a negative port": {"internal_listen": "127.0.0.1:-1"},
    "a port in other digits": {"listen": "127.0.0.1:²"},
    "nowhere": {"listen": ""},
    "no workers": {"workers": "0"},
    "too many workers": {"workers": "65"},
    "two signs": {"workers": "--5"},
    "a superscript": {"workers": "²"},
    "half a worker": {"workers": "1.5"},
    "perhaps": {"multitenant": "perhaps"},
    "a certificate alone": {"tls_cert": __file__},
    "a key alone": {"tls_key": __file__},
    "a certificate that is not there": {"tls_cert": "/nowhere/cert.pem", "tls_key": __file__},
    "a certificate that is a folder": {"tls_cert": "/", "tls_key": "/"},
    "a path in the public address": {"public_url": "https://example.com/fairlead"},
    "another protocol": {"public_url": "ftp://example.com"},
    "no host": {"public_url": "https://"},
    "a loud log": {"log_level": "loud"},
    "an XML log": {"log_format": "xml"},
    "a file for a folder": {"data": __file__},
    "no folder": {"data": ""},
}


@pytest.mark.parametrize("environment", BAD.values(), ids=BAD)
def test_a_bad_setting_is_refused_in_one_line_that_names_it(tmp_path, environment):
    given = {} if "data" in environment else {"data": tmp_path}

    with pytest.raises(BadSetting) as refused:
        load(given, {f"FAIRLEAD_{name.upper()}": value for name, value in environment.items()})

    said = str(refused.value).lower().replace("_", "-")
    assert any(name.replace("_", "-") in said for name in environment)
    assert "\n" not in said


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("listen = ", "TOML"),
        ('unknown = "x"', "'unknown'"),
        ("listen = 8080", "--listen"),
        ("workers = true", "--workers"),
        ("workers = 2.5", "--workers"),
        ('workers = "two"', "--workers"),
        ("multitenant = 2", "--multitenant"),
        ("data = 1", "--data"),
        ('data = "a\\u0000b"', "NUL"),
        ("[listen]\nport = 1", "--listen"),
        ('listen = "127.0.0.1:1"\nlisten = "127.0.0.1:2"', "TOML"),
        ("\udcff", "TOML"),
    ],
)
def test_a_bad_file_is_refused_in_one_line_that_says_where(tmp_path, content, named):
    file = tmp_path / "settings.toml"
    file.write_bytes(content.encode(errors="surrogateescape"))

    with pytest.raises(BadSetting) as refused:
        load({}, {}, file)

    assert named in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_named_must_be_there(tmp_path):
    with pytest.raises(BadSetting, match="cannot be read: No such file"):
        load({}, {}, tmp_path / "not there.toml")
    with pytest.raises(BadSetting, match="cannot be read: Is a directory"):
        load({}, {}, tmp_path)
