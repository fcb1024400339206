/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * virt-teaming.h: what the subcommands of virt-teaming share
 */

#pragma once

#include <stdio.h>

#include <json-glib/json-glib.h>
#include <libvirt/libvirt.h>

#include "teaming_conf.h"
#include "teaming_error.h"

/**
 * virTeamingCmdExit: exit status of every subcommand
 * @VIR_TEAMING_CMD_OK: done, and nothing to complain about
 * @VIR_TEAMING_CMD_FINDINGS: done, and something is wrong with what was looked at
 * @VIR_TEAMING_CMD_FAILED: could not do it
 */
typedef enum {
    VIR_TEAMING_CMD_OK = 0,
    VIR_TEAMING_CMD_FINDINGS = 1,
    VIR_TEAMING_CMD_FAILED = 2,
} virTeamingCmdExit;

/* Subcommands: @argv[0] is the subcommand's name. Return a virTeamingCmdExit. */
int virTeamingCmdCheck(int argc, char **argv);
int virTeamingCmdArgv(int argc, char **argv);
int virTeamingCmdPool(int argc, char **argv);
int virTeamingCmdProbe(int argc, char **argv);
int virTeamingCmdMove(int argc, char **argv);
int virTeamingCmdStatus(int argc, char **argv);

/**
 * virTeamingCmdOptions: the options that every subcommand knows
 * @local: set by a subcommand that is about the host that it runs on, and refuses --connect
 * @connect: --connect URI, or NULL
 * @json: --format json
 */
typedef struct {
    gboolean local;
    char *connect;
    gboolean json;
} virTeamingCmdOptions;

/**
 * virTeamingCmdStyle: how a word stands out on a terminal; nowhere else
 */
typedef enum {
    VIR_TEAMING_CMD_STYLE_ERROR,
    VIR_TEAMING_CMD_STYLE_WARNING,
    VIR_TEAMING_CMD_STYLE_NOTE,
    VIR_TEAMING_CMD_STYLE_BOLD,
    VIR_TEAMING_CMD_STYLE_DIM,
} virTeamingCmdStyle;

char **virTeamingCmdParse(int argc,
                          char **argv,
                          const char *parameters,
                          const char *description,
                          const GOptionEntry *entries,
                          virTeamingCmdOptions *options);
void virTeamingCmdOptionsClear(virTeamingCmdOptions *options);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(virTeamingCmdOptions, virTeamingCmdOptionsClear)

gboolean virTeamingCmdIsTerminal(FILE *stream);
void virTeamingCmdPrint(FILE *stream,
                        virTeamingCmdStyle style,
                        const char *format,
                        ...) G_GNUC_PRINTF(3, 4);
void virTeamingCmdPrintJson(JsonNode *node);
int virTeamingCmdFail(const GError *error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(virConnect, virConnectClose)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virDomain, virDomainFree)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virNetwork, virNetworkFree)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virNodeDevice, virNodeDeviceFree)

virConnectPtr virTeamingCmdConnect(const char *uri,
                                   gboolean writable,
                                   GError **error);
char *virTeamingCmdGetOtherHost(virConnectPtr conn);
void virTeamingCmdSetLibvirtError(GError **error,
                                  const char *format,
                                  ...) G_GNUC_PRINTF(2, 3);

virDomainPtr virTeamingCmdLookup(virConnectPtr conn,
                                 const char *name,
                                 GError **error);
gboolean virTeamingCmdIsFile(const char *name);
virTeamingDomain *virTeamingCmdGetDomain(virDomainPtr domain,
                                         const char *name,
                                         GError **error);
virTeamingDomain *virTeamingCmdReadDomain(const virTeamingCmdOptions *options,
                                          const char *name,
                                          GError **error);
