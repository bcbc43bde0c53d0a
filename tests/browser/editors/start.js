// YASGUI as a site would put it up, pointed at the endpoint that the address names.
const endpoint = new URL(location.href).searchParams.get("endpoint");
window.yasgui = new Yasgui(document.getElementById("yasgui"), { requestConfig: { endpoint }, persistenceId: null });
