// SPDX-License-Identifier: BSL-1.0
#include "cluster/broker_stream.hpp"

#include <algorithm>
#include <stdexcept>
#include <vector>

namespace twat::mp::detail::cluster {
namespace {

constexpr int connect_timeout = 2000; // milliseconds
constexpr int reconnect_pause = 50;
constexpr int management_timeout = 5000;
/// A link that was cut is noticed after about three of these.
constexpr int ping_interval = 1000;

void check(natsStatus status, const std::string& what)
{
    if (status == NATS_OK)
        return;
    const char* const last = nats_GetLastError(nullptr);
    throw std::runtime_error(what + ": " + (last && *last ? last : natsStatus_GetText(status)));
}

std::vector<std::string> split(const std::string& urls)
{
    std::vector<std::string> parts;
    for (std::size_t begin = 0; begin <= urls.size();) {
        const std::size_t end = std::min(urls.find(',', begin), urls.size());
        std::string one = urls.substr(begin, end - begin);
        one.erase(0, one.find_first_not_of(' '));
        one.erase(one.find_last_not_of(' ') + 1);
        if (!one.empty())
            parts.push_back(std::move(one));
        begin = end + 1;
    }
    return parts;
}

std::string describe_management_error(natsConnection* connection, natsStatus status, jsErrCode code,
                                      const std::string& what)
{
    const char* const last = nats_GetLastError(nullptr);
    const std::string text = last && *last ? last : natsStatus_GetText(status);
    if (code == JSNotEnabledErr || code == JSNotEnabledForAccountErr || status == NATS_NO_RESPONDERS)
        return "the broker has no JetStream for this account: start it with `nats-server -js`, or give it a "
               "`jetstream` block in its "
               "configuration (" +
               text + ")";
    if (code == JSStreamReplicasNotSupportedErr)
        return "the broker is a single server, which cannot keep copies: cluster_options::replicas must be 1 (" + text +
               ")";
    if (code == JSInsufficientResourcesErr || code == JSStorageResourcesExceededErr ||
        code == JSAccountResourcesExceededErr)
        return "the broker has no room for " + what +
               ": look at its disk and at the limits of its `jetstream` block (" + text + ")";
    if (status == NATS_TIMEOUT) {
        const char* refused = nullptr;
        natsConnection_GetLastError(connection, &refused);
        return what + " was not answered; the account may lack the permission for $JS.API.>" +
               (refused && *refused ? std::string(" (") + refused + ")" : std::string());
    }
    return what + ": " + text;
}

} // namespace

options_handle make_broker_options(const std::string& url, const broker_credentials& credentials)
{
    natsOptions* made = nullptr;
    check(natsOptions_Create(&made), "nats.c");
    options_handle options(made);
    const std::vector<std::string> urls = split(url);
    std::vector<const char*> servers;
    servers.reserve(urls.size());
    for (const std::string& u : urls)
        servers.push_back(u.c_str());
    if (servers.empty())
        throw std::runtime_error("the url of the broker is empty");
    check(natsOptions_SetServers(made, servers.data(), static_cast<int>(servers.size())),
          "the url of the broker, " + without_secrets(url));
    if (!credentials.user.empty())
        check(natsOptions_SetUserInfo(made, credentials.user.c_str(), credentials.password.c_str()),
              "broker_credentials::user");
    if (!credentials.token.empty())
        check(natsOptions_SetToken(made, credentials.token.c_str()), "broker_credentials::token");
    if (!credentials.creds_file.empty())
        check(natsOptions_SetUserCredentialsFromFiles(made, credentials.creds_file.c_str(), nullptr),
              "broker_credentials::creds_file");
    const bool tls = url.find("tls://") != std::string::npos;
    if (tls || !credentials.ca_file.empty() || !credentials.certificate.empty())
        check(natsOptions_SetSecure(made, true), "TLS");
    if (!credentials.ca_file.empty())
        check(natsOptions_LoadCATrustedCertificates(made, credentials.ca_file.c_str()),
              "broker_credentials::ca_file " + credentials.ca_file.string());
    if (!credentials.certificate.empty())
        check(natsOptions_LoadCertificatesChain(made, credentials.certificate.c_str(), credentials.key.c_str()),
              "broker_credentials::certificate " + credentials.certificate.string());
    check(natsOptions_SetTimeout(made, connect_timeout), "timeout");
    // Otherwise nats.c waits for a millisecond with each message, for more; the link writes all that is there at once anyway.
    check(natsOptions_SetSendAsap(made, true), "sending at once");
    check(natsOptions_SetAllowReconnect(made, true), "reconnect");
    check(natsOptions_SetMaxReconnect(made, -1), "reconnect");
    check(natsOptions_SetReconnectWait(made, reconnect_pause), "reconnect");
    check(natsOptions_SetReconnectJitter(made, reconnect_pause, reconnect_pause), "reconnect");
    check(natsOptions_SetPingInterval(made, ping_interval), "pings");
    check(natsOptions_SetMaxPingsOut(made, 2), "pings");
    return options;
}

std::string ensure_stream(natsConnection* connection, const names& called, duration lease, std::size_t replicas)
{
    jsOptions options;
    jsOptions_Init(&options);
    options.Wait = management_timeout;
    jsCtx* context = nullptr;
    jsErrCode code{};
    if (const natsStatus s = natsConnection_JetStream(&context, connection, &options); s != NATS_OK)
        return describe_management_error(connection, s, code, "JetStream");
    const std::unique_ptr<jsCtx, destroyer<jsCtx_Destroy>> owned(context);

    const std::string stream = called.stream(), subject = called.tasks();
    const char* subjects[] = {subject.c_str()};
    jsStreamConfig config;
    jsStreamConfig_Init(&config);
    config.Name = stream.c_str();
    config.Description = "chunks of tasks of a twat-mp program that wait for an agent";
    config.Subjects = subjects;
    config.SubjectsLen = 1;
    config.Retention = js_WorkQueuePolicy;
    // a restarted broker gives the numbers of a stream in memory to new chunks, which late acks then remove
    config.Storage = js_FileStorage;
    config.Replicas = static_cast<int64_t>(replicas);
    natsStatus s = js_AddStream(nullptr, context, &config, &options, &code);
    if (s != NATS_OK && code == JSStreamNameExistErr)
        s = js_UpdateStream(nullptr, context, &config, &options, &code);
    if (s != NATS_OK)
        return describe_management_error(connection, s, code, "making the stream " + stream);

    jsConsumerConfig consumer;
    jsConsumerConfig_Init(&consumer);
    consumer.Durable = names::consumer;
    consumer.AckPolicy = js_AckExplicit;
    consumer.AckWait = lease.count();
    consumer.MaxAckPending = -1;
    consumer.MaxWaiting = 4096;
    s = js_AddConsumer(nullptr, context, stream.c_str(), &consumer, &options, &code);
    if (s != NATS_OK && code == JSConsumerNameExistErr)
        s = js_UpdateConsumer(nullptr, context, stream.c_str(), &consumer, &options, &code);
    if (s != NATS_OK)
        return describe_management_error(connection, s, code, "making the consumer of the stream " + stream);
    return {};
}

deletion delete_own(natsConnection* connection, const names& called, const stored_chunk& what, std::string_view pool,
                    duration patience)
{
    jsOptions options;
    jsOptions_Init(&options);
    options.Wait = std::chrono::duration_cast<std::chrono::milliseconds>(patience).count();
    jsCtx* context = nullptr;
    if (natsConnection_JetStream(&context, connection, &options) != NATS_OK)
        return deletion::unanswered;
    const std::unique_ptr<jsCtx, destroyer<jsCtx_Destroy>> owned(context);
    const std::string stream = called.stream();
    natsMsg* found = nullptr;
    jsErrCode code{};
    if (const natsStatus s = js_GetMsg(&found, context, stream.c_str(), what.sequence, &options, &code); s != NATS_OK)
        return s == NATS_NOT_FOUND || code != jsErrCode{} ? deletion::not_there : deletion::unanswered;
    const std::unique_ptr<natsMsg, destroyer<natsMsg_Destroy>> message(found);
    const char* name = nullptr;
    if (natsMsgHeader_Get(found, "Nats-Msg-Id", &name) != NATS_OK || !name || !names_chunk(name, pool, what.chunk))
        return deletion::not_there;
    const natsStatus s = js_DeleteMsg(context, stream.c_str(), what.sequence, &options, &code);
    return s == NATS_OK || code != jsErrCode{} ? deletion::deleted : deletion::unanswered;
}

std::string describe_connect_error(natsStatus status, const std::string& url, const broker_credentials& credentials)
{
    const char* const last = nats_GetLastError(nullptr);
    const std::string text = last && *last ? last : natsStatus_GetText(status);
    const bool refused = status == NATS_CONNECTION_AUTH_FAILED || text.find("uthorization") != std::string::npos ||
                         text.find("uthentication") != std::string::npos;
    if (refused)
        return "the broker at " + url + " refuses " +
               (credentials.user.empty() ? std::string("these credentials")
                                         : "the user '" + credentials.user + "' or the password") +
               ": look at cluster_options::credentials and at the broker's accounts (" + text + ")";
    if (status == NATS_NO_SERVER)
        return "no broker answers at " + url + ": is nats-server running there, and can it be reached? (" + text + ")";
    if (status == NATS_SSL_ERROR || status == NATS_SECURE_CONNECTION_REQUIRED ||
        status == NATS_SECURE_CONNECTION_WANTED)
        return "TLS with the broker at " + url + " failed: look at broker_credentials::ca_file, certificate and key (" +
               text + ")";
    return "cannot connect to the broker at " + url + ": " + text;
}

} // namespace twat::mp::detail::cluster
