/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_hookserver.c: the socket on which libvirt's hook hands its calls over
 */

/*
 * Theory of operation
 *
 * One connection a call. The hook writes the operation and the suboperation ("release" with
 * libvirt's reason behind it), a line each, and then the domain's XML as libvirt gave it, and
 * shuts its side down. The answer is a line "ok" or "refuse", then the text for libvirt: what the
 * hook shall print, or why libvirt should not go on. The hook waits for the answer, so a call is
 * answered as soon as it is whole. One that is not must not keep libvirt from what it is at;
 * whoever says nothing at all is no hook, and gets no answer.
 */

#include "teaming_hookserver.h"

#include <fcntl.h>
#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "teaming_bus_names.h"

/* A domain's XML is some 10 KiB; the bound keeps a stray writer from filling memory. */
#define VIR_TEAMING_HOOK_MAX_BYTES (16 * 1024 * 1024)
#define VIR_TEAMING_HOOK_TIMEOUT_S 5

typedef struct {
    GSocketConnection *connection;
    virTeamingDriver *driver;
    char *heard;                    /* path of VIR_TEAMING_HOOK_HEARD */
    GByteArray *request;
    guint8 chunk[16 * 1024];
} virTeamingHookCall;


static void
virTeamingHookCallFree(virTeamingHookCall *call)
{
    g_object_unref(call->connection);
    g_byte_array_unref(call->request);
    g_free(call->heard);
    g_free(call);
}


/* Takes the text up to the next newline off the front of *@rest. */
static const char *
virTeamingHookTakeLine(char **rest)
{
    char *line = *rest;
    char *end = strchr(line, '\n');

    if (!end)
        return NULL;
    *end = '\0';
    *rest = end + 1;
    return line;
}


/* libvirt looks for hooks when it starts, not when we do: so daemons after us are to know. */
static void
virTeamingHookCallRemember(const virTeamingHookCall *call)
{
    int fd = open(call->heard, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    if (fd >= 0)
        close(fd);
}


static void
virTeamingHookCallAnswer(virTeamingHookCall *call)
{
    GOutputStream *out = g_io_stream_get_output_stream(G_IO_STREAM(call->connection));
    g_autofree char *text = NULL;
    g_autofree char *answer = NULL;
    g_autofree char *print = NULL;
    g_autoptr(GError) error = NULL;
    const char *operation;
    const char *suboperation = NULL;
    char *rest;
    gint64 began = g_get_monotonic_time();

    rest = text = g_strndup((const char *)call->request->data, call->request->len);
    if (!(operation = virTeamingHookTakeLine(&rest)) ||
        !(suboperation = virTeamingHookTakeLine(&rest))) {
        g_warning("a call of libvirt's hook is not whole and was passed over");
        answer = g_strdup("ok\n");
    } else if (virTeamingDriverTellHook(call->driver, operation, suboperation, rest,
                                        &print, &error)) {
        answer = g_strconcat("ok\n", print, NULL);
        g_debug("hook %s %s took %" G_GINT64_FORMAT " us", operation, suboperation,
                g_get_monotonic_time() - began);
    } else {
        answer = g_strconcat("refuse\n", error->message, NULL);
    }
    /* Small, into an empty socket: does not block. */
    g_output_stream_write_all(out, answer, strlen(answer), NULL, NULL, NULL);
    if (suboperation)
        virTeamingHookCallRemember(call);
}


static void
virTeamingHookCallRead(GObject *source,
                       GAsyncResult *result,
                       gpointer opaque)
{
    GInputStream *in = G_INPUT_STREAM(source);
    virTeamingHookCall *call = opaque;
    gssize n = g_input_stream_read_finish(in, result, NULL);

    if (n > 0 && call->request->len + n <= VIR_TEAMING_HOOK_MAX_BYTES) {
        g_byte_array_append(call->request, call->chunk, n);
        g_input_stream_read_async(in, call->chunk, sizeof(call->chunk),
                                  G_PRIORITY_HIGH, NULL, virTeamingHookCallRead, call);
        return;
    }
    if (n == 0 && call->request->len > 0)
        virTeamingHookCallAnswer(call);
    virTeamingHookCallFree(call);
}


static gboolean
virTeamingHookIncoming(GSocketService *service,
                       GSocketConnection *connection,
                       GObject *source,
                       gpointer opaque)
{
    virTeamingHookCall *call = g_new0(virTeamingHookCall, 1);

    call->connection = g_object_ref(connection);
    call->driver = opaque;
    call->heard = g_strdup(g_object_get_data(G_OBJECT(service), VIR_TEAMING_HOOK_HEARD));
    call->request = g_byte_array_new();
    g_socket_set_timeout(g_socket_connection_get_socket(connection),
                         VIR_TEAMING_HOOK_TIMEOUT_S);
    g_input_stream_read_async(g_io_stream_get_input_stream(G_IO_STREAM(connection)),
                              call->chunk, sizeof(call->chunk), G_PRIORITY_HIGH, NULL,
                              virTeamingHookCallRead, call);
    return TRUE;
}


/**
 * virTeamingHookServerNew:
 * @path: of the socket, in the state directory; one that a daemon before us has left is replaced
 * @driver: told of each call; must outlive the server
 * @error: set if the socket can't be made
 *
 * Returns: the running server; free with g_object_unref().
 */
GSocketService *
virTeamingHookServerNew(const char *path,
                        virTeamingDriver *driver,
                        GError **error)
{
    g_autoptr(GSocketService) service = g_socket_service_new();
    g_autoptr(GSocketAddress) address = g_unix_socket_address_new(path);
    g_autofree char *statedir = g_path_get_dirname(path);

    g_object_set_data_full(G_OBJECT(service), VIR_TEAMING_HOOK_HEARD,
                           g_build_filename(statedir, VIR_TEAMING_HOOK_HEARD, NULL), g_free);
    g_unlink(path);
    if (!g_socket_listener_add_address(G_SOCKET_LISTENER(service), address,
                                       G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT,
                                       NULL, NULL, error)) {
        g_prefix_error(error, "cannot listen for libvirt's hook at %s: ", path);
        return NULL;
    }
    g_signal_connect(service, "incoming", G_CALLBACK(virTeamingHookIncoming), driver);
    g_socket_service_start(service);
    return g_steal_pointer(&service);
}
