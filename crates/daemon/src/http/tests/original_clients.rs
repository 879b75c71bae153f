//! Python's own client and the original's, against our server.

use std::process::Stdio;

use super::fixture::Fixture;

const SCRIPT: &str = r#"
import sys, xmlrpc.client
from supervisor.xmlrpc import SupervisorTransport
socket, port = sys.argv[1:]
plain = xmlrpc.client.ServerProxy('http://user:pass@127.0.0.1:%s/RPC2' % port)
original = [
    xmlrpc.client.ServerProxy('http://127.0.0.1', SupervisorTransport('user', 'pass', url))
    for url in ('unix://' + socket, 'http://127.0.0.1:' + port)]
for server in [plain] + original:
    assert server.supervisor.getState() == {'statecode': 1, 'statename': 'RUNNING'}
    info = server.supervisor.getProcessInfo('animals:cat')
    assert info['description'] == 'pid 4711, uptime 0:01:05', info
    assert len(info) == 14, info
    assert server.supervisor.readProcessStdoutLog('animals:cat', 0, 0) == 'one\n'
    assert server.supervisor.tailProcessLog('animals:cat', 0, 2) == ['e\n', 4, True]
    assert len(server.system.listMethods()) == 41
    assert len(server.supervisor.getAllConfigInfo()[0]) == 30
    assert server.supervisor.reloadConfig() == [[['new'], [], ['old']]]
    multi = xmlrpc.client.MultiCall(server)
    multi.supervisor.getPID()
    multi.supervisor.getIdentification()
    try:
        server.supervisor.stopProcess('nobody')
        assert False
    except xmlrpc.client.Fault as fault:
        assert (fault.faultCode, fault.faultString) == (10, 'BAD_NAME: nobody')
    assert server.system.multicall([{'methodName': 'supervisor.getPID', 'params': []}]) == [4242]
try:
    xmlrpc.client.ServerProxy('http://user:wrong@127.0.0.1:%s/RPC2' % port).supervisor.getPID()
    assert False
except xmlrpc.client.ProtocolError as error:
    assert error.errcode == 401
print('agreed')
"#;

#[tokio::test]
async fn pythons_clients_agree_with_the_server() {
    let Ok(python) = std::env::var("LINCHPIN_ORACLE") else {
        println!("skipped: LINCHPIN_ORACLE names no Python that has supervisor");
        return;
    };
    let fixture = Fixture::start(Some(("user", "pass")));
    fixture.log("one\n");
    let (socket, port) = (fixture.socket.clone(), fixture.port.to_string());
    let output = tokio::task::spawn_blocking(move || {
        std::process::Command::new(python)
            .args(["-c", SCRIPT, socket.to_str().unwrap(), &port])
            .stdin(Stdio::null())
            .output()
            .unwrap()
    })
    .await
    .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "agreed\n",
        "{errors}"
    );
}
