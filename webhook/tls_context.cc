#include "webhook/tls_context.h"

#include <string>
#include <string_view>

#include <boost/asio/ssl/verify_context.hpp>
#include <openssl/ssl.h>

namespace portcullis::webhook {
namespace {

namespace ssl = boost::asio::ssl;

// The protocol list of ALPN with its one entry, in wire format.
constexpr unsigned char kHttp11[] = "\x08http/1.1";

int ChooseProtocol(SSL* /*connection*/, const unsigned char** chosen, unsigned char* chosen_size,
                   const unsigned char* offered, unsigned int offered_size, void* /*context*/) {
  unsigned char* found = nullptr;
  if (SSL_select_next_proto(&found, chosen_size, kHttp11, sizeof(kHttp11) - 1, offered,
                            offered_size) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *chosen = found;
  return SSL_TLSEXT_ERR_OK;
}

std::string CommonName(X509* certificate) {
  X509_NAME* subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0) {
    return {};
  }
  const ASN1_STRING* text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

Result<void> RequireClients(TlsContext& context, const TlsOptions& options,
                            std::shared_ptr<Logger> logger) {
  boost::system::error_code error;
  context.load_verify_file(options.client_authorities.string(), error);
  if (error) {
    return Fail(
        ErrorCode::kInvalidArgument,
        "client authorities " + options.client_authorities.string() + ": " + error.message());
  }
  context.set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert, error);
  // A resumed session skips the check of the certificate, so every connection makes it anew.
  SSL_CTX_set_session_cache_mode(context.native_handle(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context.native_handle(), 0);
  context.set_verify_callback(
      [name = options.client_name, logger = std::move(logger)](bool trusted,
                                                               ssl::verify_context& verify) {
        X509_STORE_CTX* chain = verify.native_handle();
        if (!trusted || X509_STORE_CTX_get_error_depth(chain) != 0) {
          return trusted;
        }
        const std::string common_name = CommonName(X509_STORE_CTX_get_current_cert(chain));
        if (common_name == name) {
          return true;
        }
        logger->Warning("refused a client",
                        {{"error", std::string_view("x509: subject with cn=" + common_name +
                                                    " do not identify as " + name)}});
        X509_STORE_CTX_set_error(chain, X509_V_ERR_APPLICATION_VERIFICATION);
        return false;
      },
      error);
  if (error) {
    return Fail(ErrorCode::kInternal, "client certificates: " + error.message());
  }
  return {};
}

}  // namespace

Result<std::shared_ptr<TlsContext>> MakeTlsContext(const CertificatePair& pair,
                                                   const TlsOptions& options,
                                                   std::shared_ptr<Logger> logger) {
  auto context = std::make_shared<TlsContext>(ssl::context::tls_server);
  boost::system::error_code error;
  SSL_CTX* native = context->native_handle();
  SSL_CTX_set_min_proto_version(
      native, options.minimum == TlsVersion::kTls13 ? TLS1_3_VERSION : TLS1_2_VERSION);
  SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // An idle connection then holds no 34 KiB of buffers.
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_alpn_select_cb(native, ChooseProtocol, nullptr);
  context->use_certificate_chain(boost::asio::buffer(pair.certificate), error);
  if (error) {
    return Fail(ErrorCode::kInvalidArgument, "certificate: " + error.message());
  }
  // An encrypted key must fail rather than ask at a terminal.
  context->set_password_callback([](std::size_t, ssl::context::password_purpose) { return ""; },
                                 error);
  context->use_private_key(boost::asio::buffer(pair.key), ssl::context::pem, error);
  if (error) {
    return Fail(ErrorCode::kInvalidArgument, "private key: " + error.message());
  }
  if (!options.client_authorities.empty()) {
    TRY(RequireClients(*context, options, std::move(logger)));
  }
  return context;
}

}  // namespace portcullis::webhook
