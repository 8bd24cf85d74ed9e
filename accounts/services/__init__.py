"""What people do with their accounts. The person who acts is the first argument."""

from accounts.services.invitations import check_sign_up_is_open, find_invitation, invite
from accounts.services.profiles import (
    check_avatar,
    delete_account,
    remove_avatar,
    set_avatar,
    update_profile,
)
from accounts.services.relationships import FollowState, block, follow, unblock, unfollow
from accounts.services.sessions import (
    end_all_sessions,
    end_own_session,
    end_session,
    open_api_session,
    open_browser_session,
    rotate,
)
from accounts.services.signing_in import (
    SignUp,
    change_password,
    check_password,
    find_by_reset_link,
    request_password_reset,
    reset_password,
    send_verification_again,
    sign_in,
    sign_up,
    verify_email,
)
from accounts.services.suspension import check_can_suspend, restore_person, suspend_person

__all__ = [
    "FollowState",
    "SignUp",
    "block",
    "change_password",
    "check_avatar",
    "check_can_suspend",
    "check_password",
    "check_sign_up_is_open",
    "delete_account",
    "end_all_sessions",
    "end_own_session",
    "end_session",
    "find_by_reset_link",
    "find_invitation",
    "follow",
    "invite",
    "open_api_session",
    "open_browser_session",
    "remove_avatar",
    "request_password_reset",
    "reset_password",
    "restore_person",
    "rotate",
    "send_verification_again",
    "set_avatar",
    "sign_in",
    "sign_up",
    "suspend_person",
    "unblock",
    "unfollow",
    "update_profile",
    "verify_email",
]
