//! Each case of the suite, once for every engine.

macro_rules! cases {
    ($($module:ident: $($case:ident),* $(,)?;)*) => {
        mod sqlite {
            $($(#[test] fn $case() { crate::$module::$case(&crate::house::sqlite()); })*)*
        }
        mod postgres {
            $($(#[test] fn $case() { crate::$module::$case(&crate::house::postgres()); })*)*
        }
    };
}

cases! {
    changes:
        a_grant_leads_to_its_server,
        how_a_server_is_spoken_to_is_said_or_found_out,
        a_revoked_grant_fails_on_every_replica,
        a_published_policy_holds_when_it_was_answered,
        a_policy_whose_tests_fail_is_not_published,
        a_rotated_token_is_good_and_the_old_one_for_its_time,
        calls_under_way_are_cut_when_they_are_stopped,
        nothing_is_found_out_for_a_call_that_is_stopped,
        what_is_stopped_stays_stopped_for_a_new_replica,
        a_changed_definition_is_held_everywhere,
        networks_and_expiry_are_obeyed,
        a_policy_that_is_published_while_a_list_is_awaited_judges_the_call,
        a_name_that_cannot_be_kept_is_held_and_harms_nobody,
        a_server_that_wants_to_be_asked_each_time_is_served,
        organisations_do_not_share_names_or_counts;
    decisions:
        what_replicas_decide_is_in_one_place,
        what_was_left_behind_is_shipped_by_the_next,
        rows_are_made_anew_the_same,
        what_is_too_old_goes_and_chains_stay_in_order,
        what_was_altered_is_not_shown_and_told,
        a_chain_that_cannot_be_read_holds_up_no_other,
        a_removal_that_takes_its_time_holds_up_no_shipping;
    endings:
        streams_and_calls_end_with_what_let_them_in,
        a_legacy_server_is_told_what_was_cut,
        a_stream_ends_when_its_grant_gets_another_policy_and_a_call_does_not,
        a_body_that_comes_late_is_judged_by_what_holds_then,
        nothing_is_opened_while_it_is_stopped,
        streams_are_bounded_for_each_grant,
        two_hundred_streams_end_on_every_replica,
        an_agent_that_does_not_read_loses_its_stream_too,
        what_a_program_asks_is_judged_by_what_holds_then,
        programs_end_with_their_grant_and_when_their_server_is_changed;
    first_start:
        the_first_admin_is_made_with_the_setup_token_once,
        who_signs_in_is_recognised_until_signing_out,
        the_wrong_keys_are_refused_and_change_nothing;
    egress:
        a_server_inside_is_refused_when_it_is_registered,
        a_server_in_the_clear_is_refused_unless_that_is_meant,
        a_replica_asks_no_server_where_its_operator_wants_none;
    stacks:
        a_grant_for_several_leads_to_each_of_them,
        what_is_decided_about_one_server_holds_for_the_next_call,
        a_server_that_is_added_is_under_its_policy_from_its_first_call_on,
        a_changed_definition_of_one_server_is_held_until_it_is_accepted,
        one_policy_spans_them_and_each_keeps_its_counts_under_its_own,
        a_server_that_cannot_be_reached_is_that_servers_trouble,
        a_stream_ends_when_one_of_its_servers_is_another_way;
    secrets:
        secrets_reach_the_server_and_nothing_else;
}
