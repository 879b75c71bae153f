#!/usr/bin/env python3
"""usage: tests/differential/checklist.py [--write]

What Supervisor does, row by row, and what proves that we do it. Prints docs/checklist.md, or writes it. A row's scenarios are
found by themselves: they name their rows. Other tests are named here, as `file::test`, and a row that is not there yet names its
line of docs/compatibility.md, as `ROW: words`.
"""
import re
import sys
from pathlib import Path

from scenarios import cited_row, stages

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = REPOSITORY / "docs/checklist.md"
# How many rows each part has.
PARTS = {
    "C": (20, "Configuration"), "D": (20, "The daemon"), "P": (18, "Processes"), "X": (20, "XML-RPC"), "H": (8, "Other HTTP"),
    "E": (12, "Events"), "F": (3, "FastCGI"), "L": (12, "supervisorctl"), "T": (3, "Other tools"),
}
B, CONFIG, CORE, LOG, CTL, DAEMON, ECO = (
    "tests/behaviour/", "crates/config/src/", "crates/core/", "crates/log/tests/log/", "crates/ctl/tests/clients/", "crates/daemon/src/", "tests/ecosystem/",
)
CORPUS = "crates/config/tests/corpus/main.rs::corpus_gives_what_supervisor_makes_of_it"
LIVE = "tests/corpus_live/test_real_files.py::test_every_process_ends_up_where_it_does_under_the_original"

ROWS = {
    "C01": ("comments, continuation, line ends", [CORPUS]),
    "C02": ("repeated keys and sections", [CORPUS]),
    "C03": ("case of keys and sections, [DEFAULT]", [CORPUS]),
    "C04": ("lines that cannot be read", [B + "test_bad_input.py::test_a_bad_file_is_refused_with_its_place"]),
    "C05": ("expansion as printf does it", [CONFIG + "oracle_tests.rs::expansion_agrees_with_python"]),
    "C06": ("which names each key knows", [CONFIG + "options_tests.rs::every_option_knows_the_names_of_its_scope_and_no_others"]),
    "C07": ("here, ENV_*, a program's own variables", [CONFIG + "load_tests.rs::includes_are_read_in_order_and_override"]),
    "C08": ("texts of failed expansions", []),
    "C09": ("where a file is looked for", [CONFIG + "load_tests.rs::default_places_are_searched_in_order", B + "test_bad_input.py::test_a_file_that_is_not_there"]),
    "C10": ("[include]", [CONFIG + "load_tests.rs::includes_are_read_in_order_and_override", LIVE]),
    "C11": ("keys of [supervisord]", [CONFIG + "options_tests.rs::every_option_of_the_table_is_read", CONFIG + "options_tests.rs::every_default_can_be_written_and_gives_the_same"]),
    "C12": ("unix servers", [B + "test_control_socket.py::test_several_sockets_with_rights_of_their_own"]),
    "C13": ("inet servers", [CONFIG + "load_tests.rs::servers_and_their_url", B + "test_xmlrpc.py::test_both_kinds_of_socket_answer_alike"]),
    "C14": ("[supervisorctl]", [CONFIG + "load_tests.rs::supervisorctl_reads_its_section_and_its_command_line"]),
    "C15": ("keys of programs", [CORPUS, LIVE]),
    "C16": ("keys of groups, listeners and FastCGI", [CORPUS]),
    "C17": ("types of values and their texts", []),
    "C18": ("environment=", [CONFIG + "oracle_tests.rs::key_value_lists_agree_with_supervisor_where_only_its_grammar_applies"]),
    "C19": ("NONE, AUTO, OFF, syslog", [B + "test_log_rotation.py::test_no_log_means_none"]),
    "C20": ("names, numprocs, process_name", [B + "test_process_attributes.py::test_numprocs_and_groups_name_each_instance"]),
    "D01": ("options of the command line", [CONFIG + "oracle_tests.rs::command_lines_are_refused_in_the_original_s_words", CONFIG + "load_tests.rs::the_command_line_beats_the_file", B + "test_command_line.py::test_words_of_the_command_line"]),
    "D02": ("form of errors, exit codes", [B + "test_command_line.py::test_words_of_the_command_line"]),
    "D03": ("warnings to root", [CONFIG + "load_tests.rs::root_without_a_user_is_told_in_the_original_s_words"]),
    "D04": ("change of user", [B + "test_process_attributes.py::test_a_daemon_with_a_user_starts_its_services_as_that_user"]),
    "D05": ("minfds, minprocs", [B + "test_process_attributes.py::test_same_as_the_originals"]),
    "D06": ("into the background", [B + "test_daemonizing.py::test_it_leaves_the_terminal_and_the_session", B + "test_daemonizing.py::test_directory_and_umask_count_when_daemonized"]),
    "D07": ("echo in the foreground, silent", [B + "test_log_rotation.py::test_main_log_is_echoed_in_the_foreground_unless_silent"]),
    "D08": ("pid file", [B + "test_daemonizing.py::test_the_pid_file_says_who_runs_and_goes_at_the_end"]),
    "D09": ("TERM, INT, QUIT", [B + "test_signals.py::test_an_exit_request_stops_everything_in_order"]),
    "D10": ("HUP", [B + "test_signals.py::test_hangup_restarts_everything_in_the_same_process"]),
    "D11": ("USR2", [B + "test_signals.py::test_logs_are_reopened_as_logrotate_wants_it"]),
    "D12": ("main log: form, levels, rotation, syslog", [B + "test_log_rotation.py::test_main_log_rotates_like_the_originals", LOG + "main_log.rs::the_system_log_gets_the_whole_line"]),
    "D13": ("automatic logs", [B + "test_log_rotation.py::test_automatic_log_names", B + "test_log_rotation.py::test_old_automatic_logs_are_removed_at_the_start_unless_kept"]),
    "D14": ("rotation of logs", [B + "test_log_rotation.py::test_same_files_as_the_originals"]),
    "D15": ("output to syslog", [LOG + "content.rs::the_system_log_gets_each_line_behind_the_name_of_the_process"]),
    "D16": ("strip_ansi", [B + "test_log_rotation.py::test_escape_sequences"]),
    "D17": ("output to /dev/stdout", [B + "test_log_rotation.py::test_output_passes_through_to_the_containers_stdout_and_stderr"]),
    "D18": ("texts of the main log", []),
    "D19": ("sockets left behind or in use", [B + "test_control_socket.py::test_a_stale_socket_is_taken_over", B + "test_bad_input.py::test_a_unix_socket_in_use"]),
    "D20": ("mode and owner of sockets", [B + "test_control_socket.py::test_mode", B + "test_control_socket.py::test_owner"]),
    "P01": ("states and their transitions", [CORE + "tests/simulation.rs"]),
    "P02": ("startsecs", []),
    "P03": ("retries and backoff", [LIVE]),
    "P04": ("autorestart, exitcodes", [LIVE]),
    "P05": ("stopsignal, stopwaitsecs", [B + "test_signals.py::test_a_service_that_ignores_its_stop_signal_is_killed_after_its_time"]),
    "P06": ("stopasgroup, killasgroup", []),
    "P07": ("order of starts", []),
    "P08": ("order of the end", [B + "test_signals.py::test_groups_stop_in_descending_priority"]),
    "P09": ("a stop in BACKOFF", []),
    "P10": ("looking for the command", [B + "test_bad_input.py::test_a_program_that_cannot_start_harms_no_other"]),
    "P11": ("environment of processes", [B + "test_process_attributes.py::test_same_as_the_originals"]),
    "P12": ("descriptors, group, umask, directory", [B + "test_process_attributes.py::test_same_as_the_originals"]),
    "P13": ("failures after the fork", []),
    "P14": ("descriptions", []),
    "P15": ("a clock that jumps", ["FIX 3.7: clock that never jumps"]),
    "P16": ("unknown children", [B + "test_orphans.py::test_orphans_of_pid_1_in_a_fresh_pid_namespace"]),
    "P17": ("redirect_stderr", [B + "test_log_rotation.py::test_two_streams_into_one_file_with_redirect"]),
    "P18": ("groups and their names", [B + "test_process_attributes.py::test_numprocs_and_groups_name_each_instance"]),
    "X01": ("POST /RPC2 on both kinds of socket", [B + "test_xmlrpc.py::test_both_kinds_of_socket_answer_alike"]),
    "X02": ("passwords", [B + "test_control_socket.py::test_passwords", B + "test_control_socket.py::test_a_password_guards_every_address"]),
    "X03": ("types and faults in XML", [B + "test_xmlrpc.py::test_ways_to_write_a_value", B + "test_xmlrpc.py::test_the_answer_is_the_same_text"]),
    "X04": ("system.listMethods and the like", [B + "test_xmlrpc.py::test_every_method_has_help"]),
    "X05": ("system.multicall", [B + "test_xmlrpc.py::test_same_answers"]),
    "X06": ("about the daemon", [ECO + "test_python_clients.py::test_over_tcp_with_a_password"]),
    "X07": ("starts and stops, waited for or not", [B + "test_xmlrpc.py::test_an_answer_that_waits_keeps_nobody_else_waiting"]),
    "X08": ("signals", []),
    "X09": ("getProcessInfo", [B + "test_xmlrpc.py::test_types_of_every_field", ECO + "test_recorded_clients.py::test_netdata_reads_every_field_with_its_exact_type"]),
    "X10": ("getAllConfigInfo", [B + "test_xmlrpc.py::test_types_of_every_field"]),
    "X11": ("reading logs", []),
    "X12": ("tails of logs", []),
    "X13": ("clearing logs", []),
    "X14": ("standard input", [B + "test_process_attributes.py::test_stdin_is_a_pipe_that_stays_open"]),
    "X15": ("remote events", [B + "test_events.py::test_remote_events_of_any_size_and_alphabet"]),
    "X16": ("reloadConfig", []),
    "X17": ("adding and removing groups", [ECO + "test_ansible.py::test_programs_come_and_go"]),
    "X18": ("shutdown, restart, and what is refused meanwhile", [B + "test_xmlrpc.py::test_during_shutdown_every_method_but_a_few_is_refused"]),
    "X19": ("faults and their texts", [B + "test_xmlrpc.py::test_same_answers"]),
    "X20": ("old names", []),
    "H01": ("/logtail", [B + "test_xmlrpc.py::test_headers_and_beginning_of_a_followed_log"]),
    "H02": ("/mainlogtail", [B + "test_xmlrpc.py::test_headers_and_beginning_of_a_followed_log"]),
    "H03": ("rotation while a log is followed", [B + "test_xmlrpc.py::test_a_followed_log_shows_each_line_and_survives_rotation"]),
    "H04": ("status page", [B + "test_web_pages.py::test_the_status_page_tells_the_same"]),
    "H05": ("page of a log", [B + "test_web_pages.py::test_tails_show_the_same_text_and_keep_their_limit"]),
    "H06": ("/ok.html", []),
    "H07": ("actions and where they lead", [B + "test_web_pages.py::test_actions_end_in_the_originals_redirects"]),
    "H08": ("files, and forms of refusal", [B + "test_web_pages.py::test_other_addresses_answer_with_the_same_statuses", B + "test_xmlrpc.py::test_statuses_of_odd_requests"]),
    "E01": ("names and their hierarchy", [B + "test_events.py::test_remote_events_of_any_size_and_alphabet"]),
    "E02": ("bodies", [B + "test_events.py::test_states_groups_and_the_daemons_own"]),
    "E03": ("the envelope", [B + "test_events.py::test_a_restart_of_the_daemon_goes_on_with_the_numbers"]),
    "E04": ("pools and buffers", [B + "test_events.py::test_what_a_buffer_cannot_hold_is_dropped_the_oldest_first"]),
    "E05": ("states of a listener", [B + "test_events.py::test_answers_of_every_kind_are_told_and_lead_to_the_same"]),
    "E06": ("rejected events, death over an event", [B + "test_events.py::test_the_event_of_a_listener_that_dies_comes_again"]),
    "E07": ("ticks", [B + "test_event_fixes.py::test_ticks_come_when_the_clock_says_so"]),
    "E08": ("output as events", [B + "test_events.py::test_output_of_processes"]),
    "E09": ("capture mode", [B + "test_events.py::test_what_stands_between_the_tags_of_capture_mode"]),
    "E10": ("groups and the daemon's own state", [B + "test_events.py::test_listeners_hear_of_the_end_as_long_as_they_live"]),
    "E11": ("listeners of others run unchanged", [
        ECO + "test_httpok.py::test_a_program_whose_page_is_gone_is_restarted", ECO + "test_memmon.py::test_a_program_that_is_too_large_is_restarted_and_others_are_not",
        ECO + "test_crashmail.py::test_an_unexpected_end_is_told_and_an_expected_one_is_not", ECO + "test_fatalmailbatch.py::test_programs_that_gave_up_are_mailed_together",
    ]),
    "E12": ("childutils", [ECO + "test_python_clients.py::test_over_a_unix_socket", B + "test_events.py::test_a_listener_written_with_supervisors_own_helper"]),
    "F01": ("the socket is descriptor 0", [B + "test_fastcgi.py::test_descriptor_0_is_a_socket_like_the_originals", B + "test_fastcgi.py::test_a_fastcgi_client_reaches_a_fastcgi_server"]),
    "F02": ("owner, mode, backlog, when it closes", [B + "test_fastcgi.py::test_mode_and_owner_are_the_originals", B + "test_fastcgi.py::test_a_socket_is_opened_and_closed_when_the_original_does"]),
    "F03": ("in a group", [B + "test_fastcgi.py::test_an_fcgi_program_in_a_group_keeps_its_socket"]),
    "L01": ("options, with and without a file", [CONFIG + "load_tests.rs::supervisorctl_needs_no_file_but_a_section_in_it", B + "test_command_line.py::test_words_of_the_command_line"]),
    "L02": ("status and its exit codes", [B + "test_supervisorctl.py::test_same_words_and_status"]),
    "L03": ("start, stop, restart", [B + "test_supervisorctl.py::test_restart_gives_a_new_process"]),
    "L04": ("signal, clear", [B + "test_supervisorctl.py::test_same_words_and_status"]),
    "L05": ("tail, maintail", [B + "test_supervisorctl.py::test_following_a_log", B + "test_supervisorctl.py::test_main_log_tail", B + "test_shell.py::test_following_logs_ends_with_ctrl_c_and_the_shell_goes_on"]),
    "L06": ("fg", [B + "test_shell.py::test_a_process_in_the_foreground", B + "test_shell.py::test_the_end_of_input_leaves_the_foreground"]),
    "L07": ("reread, update, add, remove, avail", [B + "test_supervisorctl.py::test_same_words_and_status"]),
    "L08": ("shutdown, reload", [B + "test_shell.py::test_questions_before_what_cannot_be_undone", B + "test_supervisorctl.py::test_reload_restarts_the_daemon_in_its_process"]),
    "L09": ("open, pid, version, help", [B + "test_shell.py::test_another_daemon_can_be_opened", B + "test_supervisorctl.py::test_pids"]),
    "L10": ("no daemon there", [B + "test_supervisorctl.py::test_no_daemon_there"]),
    "L11": ("being asked for a password", [B + "test_shell.py::test_who_is_there_is_asked_until_the_answer_is_right", B + "test_supervisorctl.py::test_wrong_password"]),
    "L12": ("the shell", [B + "test_shell.py::test_completion", B + "test_shell.py::test_prompt_and_history", B + "test_shell.py::test_ways_to_leave", CTL + "differential.rs::the_shell_takes_lines_from_a_pipe"]),
    "T01": ("echo_supervisord_conf", [CONFIG + "oracle_tests.rs::sample_has_the_lines_of_the_original_up_to_their_explanations"]),
    "T02": ("pidproxy", [B + "test_pidproxy.py::test_a_signal_is_passed_on"]),
    "T03": ("the original's own factories", []),
}


def scenarios_of():
    """Row -> the names of the scenarios that are about it."""
    found = {}
    for stage in stages():
        for scenario in stage.scenarios:
            for row in scenario.rows:
                found.setdefault(row, []).append(str(scenario))
    return found


def is_there(reference):
    """Whether a test, or the line of docs/compatibility.md, exists."""
    path, _, name = reference.partition("::")
    file = REPOSITORY / path
    if "/" not in path.split(":")[0]:
        return cited_row(reference)
    return file.is_file() and (not name or re.search(rf"^ *(async )?(def|fn) {name}\(", file.read_text(), re.M) is not None)


def problems():
    """What is wrong with the table: rows that are missing, rows without proof, tests that are gone."""
    wanted = [f"{part}{number:02}" for part, (count, _) in PARTS.items() for number in range(1, count + 1)]
    found = [f"{row}: is not in the table" for row in wanted if row not in ROWS]
    found += [f"{row}: is no row" for row in {*ROWS, *scenarios_of()} - set(wanted)]
    for row, (_, references) in ROWS.items():
        if not references and row not in scenarios_of():
            found.append(f"{row}: nothing proves it")
        found += [f"{row}: there is no {reference}" for reference in references if not is_there(reference)]
    return found


def page():
    scenarios = scenarios_of()
    lines = [
        "# What Supervisor does, and what proves that we do it",
        "",
        "Made by `tests/differential/checklist.py`; a test fails when a row has neither a test nor a line in",
        "[compatibility.md](compatibility.md), or when a test that is named here is gone. *Scenarios* are those of",
        "`tests/differential/cases`, which are played under the original and under ours; beside them stand the tests that look closer.",
    ]
    for part, (count, title) in PARTS.items():
        lines += ["", f"## {title}", "", "| row | what | scenarios | also |", "|---|---|---|---|"]
        for row in (each for each in ROWS if each[0] == part):
            what, references = ROWS[row]
            # What is between bars in a name would end its cell.
            also = ", ".join(f"`{reference.split('/')[-1]}`" for reference in references)
            lines.append(f"| {row} | {what} | {len(scenarios.get(row, [])) or ''} | {also} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        PAGE.write_text(page())
    else:
        print(page(), end="")
    for problem in problems():
        print(problem, file=sys.stderr)
