package server

import (
	"context"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/identity"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// identityService signs people in and keeps their accounts.
type identityService struct {
	pb.UnimplementedIdentityServiceServer
	*application
}

func (s identityService) CreateSession(ctx context.Context, request *pb.CreateSessionRequest) (*pb.CreateSessionResponse, error) {
	token, session, err := s.accounts.SignIn(ctx, request.GetName(), request.GetPassword(), callerOf(ctx).Address)
	if err != nil {
		return nil, err
	}
	return &pb.CreateSessionResponse{
		Token: token, ExpiresAt: timestamp(session.ExpiresAt), Account: session.Account.Proto(),
	}, nil
}

func (s identityService) GetSession(ctx context.Context, _ *pb.GetSessionRequest) (*pb.GetSessionResponse, error) {
	session, err := s.accounts.Session(ctx, callerOf(ctx))
	if err != nil {
		return nil, err
	}
	caller := callerOf(ctx)
	return &pb.GetSessionResponse{
		Account: session.Account.Proto(), ExpiresAt: timestamp(session.ExpiresAt),
		MustChangePassword: caller.MustChange, Actions: caller.Actions(),
	}, nil
}

func (s identityService) DeleteSession(ctx context.Context, request *pb.DeleteSessionRequest) (*pb.DeleteSessionResponse, error) {
	if err := s.accounts.EndSession(ctx, callerOf(ctx), request.GetEverywhere()); err != nil {
		return nil, err
	}
	return &pb.DeleteSessionResponse{}, nil
}

func (s identityService) ChangePassword(ctx context.Context, request *pb.ChangePasswordRequest) (*pb.ChangePasswordResponse, error) {
	if err := s.accounts.ChangePassword(ctx, callerOf(ctx), request.GetCurrentPassword(), request.GetNewPassword()); err != nil {
		return nil, err
	}
	return &pb.ChangePasswordResponse{}, nil
}

func (s identityService) CreateAccount(ctx context.Context, request *pb.CreateAccountRequest) (*pb.Account, error) {
	if _, ok := s.directory.Tree().Get(request.GetUnitId()); request.GetUnitId() != "" && !ok {
		return nil, fault.New(fault.NotFound, "unit_unknown", "unit", request.GetUnitId())
	}
	who, err := s.person(request)
	if err != nil {
		return nil, err
	}
	account, err := s.accounts.Create(ctx, callerOf(ctx), s.within, identity.NewAccount{
		Name: request.GetName(), Password: request.GetPassword(), Role: request.GetRole(), UnitID: request.GetUnitId(), Person: who,
	})
	if err != nil {
		return nil, err
	}
	return account.Proto(), nil
}

func (s identityService) UpdateAccount(ctx context.Context, request *pb.UpdateAccountRequest) (*pb.Account, error) {
	who, err := s.person(request)
	if err != nil {
		return nil, err
	}
	account, err := s.accounts.Update(ctx, callerOf(ctx), s.within, request.GetAccountId(), who)
	if err != nil {
		return nil, err
	}
	return account.Proto(), nil
}

// person is who an account is, of officials and units that are there.
func (s identityService) person(request interface {
	GetDisplayName() string
	GetOfficialId() string
	GetHeadsUnitIds() []string
}) (identity.Person, error) {
	for _, unit := range request.GetHeadsUnitIds() {
		if _, ok := s.directory.Tree().Get(unit); !ok {
			return identity.Person{}, fault.New(fault.NotFound, "unit_unknown", "unit", unit)
		}
	}
	return identity.Person{Display: request.GetDisplayName(), OfficialID: request.GetOfficialId(), Heads: request.GetHeadsUnitIds()}, nil
}

func (s identityService) ListAccounts(ctx context.Context, request *pb.ListAccountsRequest) (*pb.ListAccountsResponse, error) {
	accounts, next, err := s.accounts.List(ctx, callerOf(ctx), s.within, pageSize(request.GetPageSize()), request.GetPageToken())
	if err != nil {
		return nil, err
	}
	response := &pb.ListAccountsResponse{NextPageToken: next}
	for _, account := range accounts {
		response.Accounts = append(response.Accounts, account.Proto())
	}
	return response, nil
}

func (s identityService) DisableAccount(ctx context.Context, request *pb.DisableAccountRequest) (*pb.Account, error) {
	account, err := s.accounts.Disable(ctx, callerOf(ctx), s.within, request.GetAccountId())
	if err != nil {
		return nil, err
	}
	return account.Proto(), nil
}

func (s identityService) EnableAccount(ctx context.Context, request *pb.EnableAccountRequest) (*pb.ResetPasswordResponse, error) {
	oneTime, err := s.accounts.Enable(ctx, callerOf(ctx), s.within, request.GetAccountId())
	return s.oneTime(ctx, request.GetAccountId(), oneTime, err)
}

func (s identityService) ResetPassword(ctx context.Context, request *pb.ResetPasswordRequest) (*pb.ResetPasswordResponse, error) {
	oneTime, err := s.accounts.ResetPassword(ctx, callerOf(ctx), s.within, request.GetAccountId(), "")
	return s.oneTime(ctx, request.GetAccountId(), oneTime, err)
}

// oneTime answers a one-time password with its account.
func (s identityService) oneTime(ctx context.Context, id, password string, err error) (*pb.ResetPasswordResponse, error) {
	if err != nil {
		return nil, err
	}
	account, err := s.accounts.Get(ctx, callerOf(ctx), s.within, id)
	if err != nil {
		return nil, err
	}
	return &pb.ResetPasswordResponse{Account: account.Proto(), OneTimePassword: password}, nil
}

// within tells whether a unit lies in the subtree of root; root "" = everywhere.
func (a *application) within(unit, root string) bool { return a.directory.Tree().Within(unit, root) }

// timestamp leaves a zero time out.
func timestamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

// pageSize is the size of a page where the caller names none, and the most one may name.
func pageSize(asked int32) int {
	if asked <= 0 {
		return 100
	}
	return min(int(asked), 1000)
}
