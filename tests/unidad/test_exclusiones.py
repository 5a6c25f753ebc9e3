"""Un kiosco robado: se da de baja, se excluye lo que firmó, y los totales vuelven a ser los de antes."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from joserfc.jwk import ECKey

from nucleo.hechos import Captura
from nucleo.padron import AUTORIDAD, Equipo, Exclusion, LlaveInscrita, Padron, sellar_padron
from servicio_central import exclusiones, padrones
from servicio_central.corte import hacer_cortes
from servicio_central.cubierto import Publicado
from servicio_central.ingesta import Mensaje
from servicio_central.lectura import leer_aceptados, leer_hechos
from servicio_central.publicado import CORTES, PUBLICO, contenido, leer_resumen
from servicio_central.tropiezo import Tropiezo
from tests.estrategias import FirmanteEnMemoria, firmante
from tests.sobres_de_prueba import AHORA, EPOCA, PROCESO, CentroDePrueba, EquipoDePrueba, captura

CASILLAS = tuple(PROCESO.casillas)


class Noche:
    """Un centro con autoridad: dos kioscos, uno de ellos robado a media noche."""

    def __init__(self, carpeta: Path, bueno: EquipoDePrueba, robado: EquipoDePrueba, autora: FirmanteEnMemoria) -> None:
        self.carpeta, self.autora = carpeta, autora
        self.bueno, self.robado = bueno, robado
        carpeta.mkdir(parents=True, exist_ok=True)
        (carpeta / "autoridad.pub.pem").write_bytes(autora.llave.as_pem(private=False))
        self.centro = CentroDePrueba(carpeta, [bueno, robado])
        self.padron = self.centro.padron()
        self.firmar(self.padron)

    def firmar(self, padron: Padron) -> None:
        """Lo que hace la ceremonia: el padrón nuevo llega firmado y el centro lo relee."""
        (self.carpeta / "padron.jws").write_text(sellar_padron(padron, self.autora))
        self.padron = padron
        self.centro.ingesta.recargar(padron=padron)

    def cambiar(self, **cambios: object) -> None:
        equipos = {**self.padron.equipos, "catd-02": replace(self.padron.equipos["catd-02"], **cambios)}  # type: ignore[arg-type]
        self.firmar(replace(self.padron, version=self.padron.version + 1, equipos=equipos))

    def corte(self, minuto: int) -> dict[str, bytes]:
        hora = AHORA + timedelta(minutes=minuto)
        cortes = hacer_cortes(self.carpeta, PROCESO, hora, ahora=hora)
        carpeta = next(iter(cortes.values())).carpeta
        return contenido(carpeta)


def leidas(equipo: EquipoDePrueba, casillas: Iterable[str], votos: int) -> list[Mensaje]:
    """Cada casilla, leída por dos personas que concuerdan."""
    capturas: list[Captura] = [captura(c, p, votos) for c in casillas for p in ("ana", "beto")]
    return [equipo.mensaje(c) for c in capturas]


EXCLUSION = {EPOCA: Exclusion(2, "se robaron el kiosco a las 20:14", AHORA)}


def test_los_totales_vuelven_a_ser_los_de_un_centro_que_nunca_vio_lo_excluido(tmp_path: Path) -> None:
    bueno, robado, autora = EquipoDePrueba("catd-01"), EquipoDePrueba("catd-02"), firmante(AUTORIDAD)
    visto, nunca = (Noche(tmp_path / n, bueno, robado, autora) for n in ("visto", "nunca"))
    legitimos = leidas(bueno, CASILLAS[:1], 10) + leidas(robado, CASILLAS[1:2], 20)
    del_ladron = leidas(robado, CASILLAS[2:], 999)
    assert set(visto.centro.destinos(*legitimos, *del_ladron)) == {"aceptado"}
    nunca.centro.destinos(*legitimos)
    con_el_robo = visto.corte(0)
    assert con_el_robo != nunca.corte(0)
    padron = {**visto.padron.equipos}
    padron["catd-02"] = replace(padron["catd-02"], vigente=False, exclusiones=EXCLUSION)
    firmado = sellar_padron(replace(visto.padron, version=2, equipos=padron), autora)
    for noche in (visto, nunca):
        (noche.carpeta / "padron.jws").write_text(firmado)
    uno, otro = visto.corte(1), nunca.corte(1)
    (base,) = (r for r in uno if r.endswith(".zip"))
    assert uno[base] == otro[base], "la misma base de datos, byte por byte"
    dicho, esperado = (leer_resumen(n.carpeta / PUBLICO)["elecciones"]["GUB"] for n in (visto, nunca))
    assert dicho["resumen"] == esperado["resumen"]
    assert dicho["por_candidatura"] == esperado["por_candidatura"]
    # Nada se tocó ni se borró: el corte anterior sigue igual y los hechos siguen guardados.
    anterior = sorted((visto.carpeta / CORTES).iterdir())[0]
    assert contenido(anterior) == con_el_robo
    assert len(leer_aceptados(visto.carpeta, "GUB")) == len(legitimos) + len(del_ladron)
    leidos = leer_hechos(visto.carpeta, "GUB")
    assert (len(leidos.hechos), leidos.excluidos) == (len(legitimos), len(del_ladron))


def test_el_resumen_dice_con_que_padron_se_conto_y_que_excluye(tmp_path: Path) -> None:
    noche = Noche(tmp_path, EquipoDePrueba("catd-01"), EquipoDePrueba("catd-02"), firmante(AUTORIDAD))
    noche.centro.destinos(*leidas(noche.robado, CASILLAS, 5))
    noche.cambiar(exclusiones=EXCLUSION)
    noche.corte(0)
    dicho = leer_resumen(tmp_path / PUBLICO)["padron"]
    usado = padrones.para_contar(tmp_path)
    assert usado is not None
    assert (dicho["version"], dicho["huella"]) == (2, usado.huella)
    assert dicho["exclusiones"][0]["motivo"] == "se robaron el kiosco a las 20:14"
    assert [str(x) for x in exclusiones.contar(tmp_path, usado)] == [
        f"{2 * len(CASILLAS) - 2} hechos de catd-02, después de la 2, no se cuentan: se robaron el kiosco a las 20:14"
    ]


def test_lo_que_baja_por_exclusion_se_anuncia_y_el_corte_siguiente_es_correcto(tmp_path: Path) -> None:
    noche = Noche(tmp_path, EquipoDePrueba("catd-01"), EquipoDePrueba("catd-02"), firmante(AUTORIDAD))
    noche.centro.destinos(*leidas(noche.robado, CASILLAS, 5))
    noche.corte(0)
    noche.cambiar(exclusiones=EXCLUSION)
    hora = AHORA + timedelta(minutes=1)
    corte = hacer_cortes(tmp_path, PROCESO, hora, ahora=hora)["GUB"]
    assert corte.resumen.capturadas == 1
    assert "cambiaron las exclusiones" in corte.aviso
    assert f"pasa de {len(CASILLAS)} a 1 actas" in corte.aviso
    # Al siguiente ya no: es lo mismo que se publica.
    hora += timedelta(minutes=1)
    assert hacer_cortes(tmp_path, PROCESO, hora, ahora=hora)["GUB"].aviso == ""
    noche.cambiar(exclusiones={})
    hora += timedelta(minutes=1)
    assert hacer_cortes(tmp_path, PROCESO, hora, ahora=hora)["GUB"].resumen.capturadas == len(CASILLAS)


def test_lo_que_llega_ya_excluido_espera_a_la_vista_y_cuenta_si_se_quita_la_exclusion(tmp_path: Path) -> None:
    noche = Noche(tmp_path, EquipoDePrueba("catd-01"), EquipoDePrueba("catd-02"), firmante(AUTORIDAD))
    mensajes = leidas(noche.robado, CASILLAS[:2], 5)
    assert noche.centro.destinos(*mensajes[:3]) == ["aceptado"] * 3
    noche.cambiar(exclusiones=EXCLUSION)
    resultado = noche.centro.ingesta.procesar(mensajes)
    # La tercera ya era un hecho: se acusa otra vez y sigue sin contarse. La cuarta espera, con su motivo.
    assert [d.codigo or d.destino.value for d in resultado.dictamenes] == ["repetido"] * 3 + ["EXCLUIDO"]
    assert "se robaron" in resultado.dictamenes[3].causa
    assert [a.codigo for a in noche.centro.acuses(resultado)[0].apartados] == ["EXCLUIDO"]
    assert len(leer_hechos(tmp_path, "GUB").hechos) == 2
    noche.cambiar(exclusiones={})
    assert len(leer_hechos(tmp_path, "GUB").hechos) == 4


def test_de_lo_excluido_no_se_promete_que_se_publico(tmp_path: Path) -> None:
    noche = Noche(tmp_path, EquipoDePrueba("catd-01"), EquipoDePrueba("catd-02"), firmante(AUTORIDAD))
    noche.centro.destinos(*leidas(noche.robado, CASILLAS, 5))
    noche.cambiar(exclusiones=EXCLUSION)
    noche.corte(0)
    cubierto = Publicado(tmp_path)()
    assert cubierto is not None
    assert cubierto.cadenas["catd-02", EPOCA] == 2


def test_sin_ningun_padron_legible_no_se_cuenta_nada_antes_que_contar_lo_excluido(tmp_path: Path) -> None:
    noche = Noche(tmp_path, EquipoDePrueba("catd-01"), EquipoDePrueba("catd-02"), firmante(AUTORIDAD))
    noche.centro.destinos(*leidas(noche.robado, CASILLAS, 5))
    noche.cambiar(exclusiones=EXCLUSION)
    (tmp_path / "padrones").mkdir()
    shutil.copy(tmp_path / "padron.jws", tmp_path / "padrones" / "000002.jws")
    (tmp_path / "padron.jws").write_text("dañado")
    assert len(leer_hechos(tmp_path, "GUB").hechos) == 2, "queda el de padrones/"
    (tmp_path / "padrones" / "000002.jws").unlink()
    with pytest.raises(Tropiezo, match="ningún padrón"):
        leer_hechos(tmp_path, "GUB")


def test_un_padron_anterior_no_devuelve_lo_excluido(tmp_path: Path) -> None:
    noche = Noche(tmp_path, EquipoDePrueba("catd-01"), EquipoDePrueba("catd-02"), firmante(AUTORIDAD))
    noche.centro.destinos(*leidas(noche.robado, CASILLAS, 5))
    viejo = (tmp_path / "padron.jws").read_text()
    noche.cambiar(exclusiones=EXCLUSION)
    (tmp_path / "padrones").mkdir()
    shutil.copy(tmp_path / "padron.jws", tmp_path / "padrones" / "000002.jws")
    (tmp_path / "padron.jws").write_text(viejo)
    assert len(leer_hechos(tmp_path, "GUB").hechos) == 2


# --------------------------------------------------------------------------------------------------------- las llaves


def _rotado(equipo: EquipoDePrueba, hasta: int | None) -> tuple[Equipo, FirmanteEnMemoria]:
    nueva = firmante(equipo.nombre)
    publica = ECKey.import_key(nueva.llave.as_dict(private=False))
    vieja = LlaveInscrita(equipo.inscrito().llave, None if hasta is None else {EPOCA: hasta})
    return equipo.inscrito(llave=publica, anteriores=(vieja,)), nueva


def test_se_rota_a_media_noche_y_lo_firmado_con_la_vieja_sigue_valiendo(tmp_path: Path) -> None:
    equipo = EquipoDePrueba("catd-01")
    centro = CentroDePrueba(tmp_path, [equipo])
    pendientes = [equipo.mensaje(captura(persona=p)) for p in ("ana", "beto")]
    rotado, nueva = _rotado(equipo, None)
    centro.ingesta.recargar(padron=centro.padron(catd_01=rotado))
    vieja, equipo.quien = equipo.quien, nueva
    despues = [equipo.mensaje(captura(persona=p)) for p in ("caro", "dora")]
    resultado = centro.ingesta.procesar([*pendientes, *despues, equipo.latido()])
    assert {d.destino.value for d in resultado.dictamenes} == {"aceptado"}
    assert centro.acuses(resultado)[0].contiguo == 4, "la misma cadena"
    # Se cierra la vieja en la 2: con ella ya no entra nada posterior, ni un latido.
    cerrado, _ = _rotado(equipo, 2)
    cerrado = replace(rotado, anteriores=(replace(rotado.anteriores[0], hasta={EPOCA: 2}),))
    centro.ingesta.recargar(padron=centro.padron(catd_01=cerrado))
    buena = equipo.mensaje(captura(persona="eva"))
    equipo.quien = vieja
    falsa = equipo.mensaje(captura(persona="ladron", votos=999))
    resultado = centro.ingesta.procesar([buena, falsa, equipo.latido(segundo=1), *pendientes])
    codigos = [d.codigo or d.destino.value for d in resultado.dictamenes]
    assert codigos == ["aceptado", "LLAVE_REVOCADA", "LLAVE_REVOCADA", "repetido", "repetido"]


def test_la_llave_de_otro_equipo_no_firma_por_este(tmp_path: Path) -> None:
    uno, otro = EquipoDePrueba("catd-01"), EquipoDePrueba("catd-02")
    centro = CentroDePrueba(tmp_path, [uno, otro])
    rotado, _ = _rotado(uno, None)
    centro.ingesta.recargar(padron=centro.padron(catd_01=rotado))
    impostor = EquipoDePrueba("catd-01")
    impostor.quien = replace(otro.quien, identidad="catd-01")
    assert [d.codigo for d in centro.ingesta.procesar([impostor.mensaje(captura())]).dictamenes] == ["FIRMA"]


# ---------------------------------------------------------------------------------------------------------- el ámbito


def test_un_paquete_de_otro_distrito_espera_a_la_vista_hasta_que_la_autoridad_lo_admita(tmp_path: Path) -> None:
    equipo = EquipoDePrueba("catd-01")
    centro = CentroDePrueba(tmp_path, [equipo])
    centro.ingesta.recargar(padron=centro.padron(catd_01=equipo.inscrito(casillas=(CASILLAS[0],))))
    propio, ajeno = (equipo.mensaje(captura(c)) for c in (CASILLAS[0], CASILLAS[-1]))
    resultado = centro.ingesta.procesar([propio, ajeno])
    assert [d.codigo or d.destino.value for d in resultado.dictamenes] == ["aceptado", "FUERA_DE_AMBITO"]
    assert [a.codigo for a in centro.acuses(resultado)[0].apartados] == ["FUERA_DE_AMBITO"]
    assert len(leer_hechos(tmp_path, "GUB").hechos) == 1
    admitido = centro.ingesta.recargar(padron=centro.padron(catd_01=equipo.inscrito()))
    assert [d.destino.value for d in admitido.dictamenes] == ["aceptado"]
    assert len(leer_hechos(tmp_path, "GUB").hechos) == 2


def test_lo_de_fuera_en_un_lugar_ya_ocupado_es_una_bifurcacion(tmp_path: Path) -> None:
    equipo = EquipoDePrueba("catd-01")
    centro = CentroDePrueba(tmp_path, [equipo])
    primero = equipo.mensaje(captura(CASILLAS[0]))
    centro.destinos(primero)
    centro.ingesta.recargar(padron=centro.padron(catd_01=equipo.inscrito(casillas=(CASILLAS[0],))))
    equipo.secuencia, equipo.previo = 0, "0" * 64
    assert centro.destinos(equipo.mensaje(captura(CASILLAS[-1]))) == ["bifurcado"]
