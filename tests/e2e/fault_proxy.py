"""Stands between the server under test and the real API server and breaks what it is told to break: no API server can be made to
answer 429 or 410, to cut a watch in the middle of an event, or to go away for a while, when a test wants it."""

import http.client
import http.server
import socket
import socketserver
import threading


class FaultProxy:
    """Plain HTTP in front, the API server's TLS behind."""

    def __init__(self, plane):
        self.plane = plane
        self.faults = []  # Functions of (method, path) that give a status to answer with, "reset", or nothing.
        self.open = set()
        self.lock = threading.Lock()
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def forward(self):
                proxy.forward(self)

            do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = forward

        class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass  # A peer that goes away is what this is for.

        self.server = Server(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def kubeconfig(self, path):
        path.write_text(
            "apiVersion: v1\nkind: Config\ncurrent-context: c\n"
            f"clusters: [{{name: c, cluster: {{server: 'http://{self.address}'}}}}]\n"
            "users: [{name: u, user: {}}]\ncontexts: [{name: c, context: {cluster: c, user: u}}]\n")
        return str(path)

    def cut_all(self):
        """Resets every connection that is open."""
        with self.lock:
            connections = list(self.open)
        for each in connections:
            try:
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def forward(self, handler):
        with self.lock:
            self.open.add(handler.connection)
        try:
            self.exchange(handler)
        except (OSError, http.client.HTTPException):
            handler.close_connection = True
        finally:
            with self.lock:
                self.open.discard(handler.connection)

    def exchange(self, handler):
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        for fault in list(self.faults):
            broken = fault(handler.command, handler.path)
            if broken == "reset":
                handler.close_connection = True
                handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
                handler.connection.shutdown(socket.SHUT_RDWR)
                return
            if isinstance(broken, bytes):
                # A watch that brings this, and then ends.
                handler.send_response(200)
                handler.send_header("Content-Type", "application/json")
                handler.send_header("Connection", "close")
                handler.end_headers()
                handler.wfile.write(broken)
                handler.close_connection = True
                return
            if broken:
                text = (f'{{"kind":"Status","apiVersion":"v1","status":"Failure","message":"broken on purpose",'
                        f'"code":{broken}}}').encode()
                handler.send_response(broken)
                handler.send_header("Content-Type", "application/json")
                handler.send_header("Content-Length", str(len(text)))
                if broken == 429:
                    handler.send_header("Retry-After", "1")
                handler.end_headers()
                handler.wfile.write(text)
                return
        host, port = self.plane.server.split(":")
        behind = http.client.HTTPSConnection(host, int(port), context=self.plane.tls)
        try:
            headers = {key: value for key, value in handler.headers.items()
                       if key.lower() not in ("host", "connection", "content-length", "accept-encoding", "upgrade",
                                              "http2-settings")}
            behind.request(handler.command, handler.path, body or None, headers)
            answer = behind.getresponse()
            handler.send_response(answer.status)
            handler.send_header("Content-Type", answer.getheader("Content-Type") or "application/json")
            handler.send_header("Transfer-Encoding", "chunked")
            handler.end_headers()
            while chunk := answer.read1(65536):
                handler.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
                handler.wfile.flush()
            handler.wfile.write(b"0\r\n\r\n")
        finally:
            behind.close()
