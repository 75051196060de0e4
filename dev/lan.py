"""`make run LAN=1`: others in the same network come in, over TLS: no other page gets a microphone.

Caddy stands before the page, the API and the websocket, as it does on a server (deploy/caddy/routes), with a
certificate that we make. Voices need nothing: media listens on all addresses anyway.
"""

import datetime
import http.client
import io
import ipaddress
import os
import socket
import ssl
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path

import ifaddr
import segno
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from common.probe import PATIENCE
from dev.place import Place, StackError
from dev.services import Port, Service
from dev.settings import bracketed, number, reachable

# Browsers believe no certificate for longer; and a new one has to be accepted anew.
GOOD_FOR = datetime.timedelta(days=397)
RENEWED_BEFORE = datetime.timedelta(days=30)


def is_wanted(env: Mapping[str, str]) -> bool:
    """Raises StackError for a LAN= that is neither."""
    wanted = env.get("LAN", "")
    if wanted not in ("", "0", "1"):
        raise StackError(f"LAN={wanted} is neither 1 nor 0.")
    return wanted == "1"


def settings(env: Mapping[str, str]) -> dict[str, str]:
    """What is different for the services."""
    origins = [f"https://{host}:{number(env, 'LAN_PORT')}" for host in [*addresses(), "localhost"]]
    return {
        "PUBLIC_URL": address(env),
        "ALLOWED_ORIGINS": ",".join([env["ALLOWED_ORIGINS"], *origins]),
        "TRUSTED_PROXIES": ",".join(filter(None, [env.get("TRUSTED_PROXIES", ""), "127.0.0.1"])),
        "DEVELOPMENT": "0",
    }


def address(env: Mapping[str, str]) -> str:
    """The page's, for others."""
    return f"https://{addresses()[0]}:{number(env, 'LAN_PORT')}"


def addresses() -> tuple[str, ...]:
    """This machine's own IPv4 addresses, first the one that it has towards everybody else. Raises StackError.

    Its IPv6 addresses change daily, and each one would want another certificate.
    """
    ours = [ip.ip for adapter in ifaddr.get_adapters() for ip in adapter.ips if isinstance(ip.ip, str)]
    found = [
        host for host in map(ipaddress.IPv4Address, ours) if not (host.is_loopback or host.is_link_local)
    ]
    if not found:
        raise StackError("LAN=1, but this machine is in no network: connect it, then make run LAN=1 again.")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # nothing is sent: only the route is looked up
            towards = probe.getsockname()[0]
        except OSError:
            towards = ""  # no way out, which need not be: the order is as good as another
    return tuple(sorted(map(str, found), key=lambda host: (host != towards, host)))


def services(place: Place, env: Mapping[str, str]) -> Iterator[Service]:
    """Caddy, where it is wanted."""
    if not is_wanted(env):
        return
    port = Port("0.0.0.0", number(env, "LAN_PORT"), "LAN_PORT")  # noqa: S104  # that is the point
    folder = _folder(place)
    yield Service(
        "caddy",
        "caddy",
        (port,),
        (_probe(folder / "certificate.pem", port.number),),
        str(port),
        env={
            "GATEWAY": reachable(f"{bracketed(env['GATEWAY_HOST'])}:{env['GATEWAY_PORT']}"),
            "ROOMS_WS": reachable(f"{bracketed(env['ROOMS_WS_HOST'])}:{env['ROOMS_WS_PORT']}"),
            "PROTOCOLS": "h1 h2",  # no browser believes such a certificate over QUIC
            "HOME": str(folder),
            "XDG_DATA_HOME": str(folder),
            "XDG_CONFIG_HOME": str(folder),
            "CERTIFICATE": _fingerprint(folder),  # another one wants another start
        },
        command=(str(Path(sys.executable).parent / "caddy"), "run", "--config", str(folder / "Caddyfile")),
    )


def prepare(place: Place, env: Mapping[str, str]) -> None:
    """Caddy's file and the certificate; one that still holds is kept, so that nobody is asked again."""
    folder = _folder(place)
    folder.mkdir(mode=0o700, exist_ok=True)
    deploy = place.root / "deploy" / "caddy"
    (folder / "Caddyfile").write_text(
        "{\n\tadmin off\n\tpersist_config off\n\tauto_https disable_redirects\n"
        f'\timport "{deploy}/options"\n}}\n'
        f"https://:{number(env, 'LAN_PORT')} {{\n"
        f'\ttls "{folder}/certificate.pem" "{folder}/key.pem"\n\timport "{deploy}/routes"\n}}\n'
    )
    hosts = {ipaddress.IPv4Address(host) for host in (*addresses(), "127.0.0.1")}
    certificate = _certificate(folder)
    if certificate is None or not _holds(certificate, hosts):
        _make_certificate(folder, hosts)


def told(place: Place, env: Mapping[str, str]) -> str:
    """What the person at the terminal reads: the address, as a picture too, and what others will be asked."""
    picture = io.StringIO()
    segno.make(address(env), error="l").terminal(picture, compact=True, border=2)
    # White on black, whatever the terminal's colours are: many phones do not read it the other way round.
    white, plain = ("\033[97;40m", "\033[0m") if sys.stdout.isatty() else ("", "")
    square = "\n".join(f"{white}{line}{plain}" for line in picture.getvalue().splitlines())
    fingerprint = _fingerprint(_folder(place))
    return f"""
{square}

Others in this network open {address(env)}, or point a phone's camera at the square.

Their browser warns of a certificate that it does not know: this machine has made it itself. To go on:
  Chrome   Advanced, Proceed
  Safari   Show Details, visit this website
  Firefox  Advanced, Accept the Risk and Continue
It asks once, and for the microphone when somebody joins voice. To make sure that it is this machine,
compare the certificate's SHA-256 fingerprint:
  {fingerprint[:47]}
  {fingerprint[48:]}

If a phone finds nothing, a firewall is in between, or a Wi-Fi for guests, which lets nobody talk to anybody.
The firewall has to let in TCP {env["LAN_PORT"]}, and UDP and TCP {env["MEDIA_PORT"]}.

You, on this machine: http://localhost:{env["GATEWAY_PORT"]}
Register first: the first account is the administrator's."""


def trusted(place: Place, env: Mapping[str, str]) -> dict[str, str]:
    """For the doctor, who else would not believe our certificate."""
    return {"DOCTOR_CERTIFICATE": str(_folder(place) / "certificate.pem")} if is_wanted(env) else {}


def _folder(place: Place) -> Path:
    return place.run / "lan"


def _certificate(folder: Path) -> x509.Certificate | None:
    try:
        return x509.load_pem_x509_certificate((folder / "certificate.pem").read_bytes())
    except (FileNotFoundError, ValueError):
        return None


def _fingerprint(folder: Path) -> str:
    certificate = _certificate(folder)
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper() if certificate else ""


def _holds(certificate: x509.Certificate, hosts: set[ipaddress.IPv4Address]) -> bool:
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    left = certificate.not_valid_after_utc - datetime.datetime.now(datetime.UTC)
    return hosts <= set(names.get_values_for_type(x509.IPAddress)) and left > RENEWED_BEFORE


def _make_certificate(folder: Path, hosts: set[ipaddress.IPv4Address]) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"cwrkPlanet on {socket.gethostname()}"[:64])])
    names = [x509.DNSName("localhost"), *map(x509.IPAddress, sorted(hosts, key=str))]
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))  # a phone's clock may be behind
        .not_valid_after(now + GOOD_FOR)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with open(os.open(folder / "key.pem", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(secret)
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _probe(certificate: Path, port: int) -> Callable[[], bool]:
    """Whether the page answers, behind our certificate and no other."""

    def probe() -> bool:
        try:
            trust = ssl.create_default_context(cafile=certificate)
            with closing(
                http.client.HTTPSConnection("127.0.0.1", port, timeout=PATIENCE, context=trust)
            ) as asked:
                asked.request("GET", "/")
                return asked.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False

    return probe
