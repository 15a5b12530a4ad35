// Connections under TLS. Knows Asio and OpenSSL; for this folder only.

#pragma once

#include <memory>

#include <boost/asio/ip/tcp.hpp>

#include "webhook/event_loop.h"
#include "webhook/tls_context.h"

namespace portcullis::webhook {

// As StartPlainConnection.
void StartTlsConnection(EventLoop& loop, boost::asio::ip::tcp::socket socket,
                        std::shared_ptr<TlsContext> context);

}  // namespace portcullis::webhook
