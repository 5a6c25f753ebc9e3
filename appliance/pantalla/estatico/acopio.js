"use strict";
// Ajustar la hora a toques; sin esto se teclea.
const hora = document.getElementById("hora");
for (const boton of document.querySelectorAll("[data-minutos]")) {
  boton.hidden = false;
  boton.addEventListener("click", () => {
    const [h, m] = hora.value.split(":").map(Number);
    if (!Number.isInteger(h) || !Number.isInteger(m)) return;
    const total = (h * 60 + m + Number(boton.dataset.minutos) + 1440) % 1440;
    hora.value = `${String(Math.floor(total / 60)).padStart(2, "0")}:${String(total % 60).padStart(2, "0")}`;
  });
}
