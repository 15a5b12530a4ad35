// The TLS side of a listener: which certificate, versions and clients. Knows Asio and OpenSSL; for
// this folder only.

#pragma once

#include <memory>

#include <boost/asio/ssl/context.hpp>

#include "base/error.h"
#include "base/log.h"
#include "webhook/http_server.h"

namespace portcullis::webhook {

using TlsContext = boost::asio::ssl::context;

// A context that serves `pair` under `options`: HTTP/1.1 by ALPN, session tickets, no
// renegotiation. ERRORS: kInvalidArgument: the certificate, its key or the authorities of clients
// are no good.
[[nodiscard]] Result<std::shared_ptr<TlsContext>> MakeTlsContext(const CertificatePair& pair,
                                                                 const TlsOptions& options,
                                                                 std::shared_ptr<Logger> logger);

}  // namespace portcullis::webhook
